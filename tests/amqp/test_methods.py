"""Arguments are read up to their end and never beyond; frames of methods say how long they are."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from librt.strings import BytesWriter
from tests.conformance import codec
from tests.definitions import thorough

from supersoniq.amqp.errors import FrameError, MalformedField
from supersoniq.amqp.methods import Arguments, begin_method, end_method, write_method
from supersoniq.amqp.primitives import write_shortstr
from supersoniq.amqp.spec import QUEUE_DECLARE, TX_SELECT

READS: dict[str, Callable[[Arguments], object]] = {
    "u8": lambda arguments: arguments.u8(),
    "u16": lambda arguments: arguments.u16(),
    "u32": lambda arguments: arguments.u32(),
    "s64": lambda arguments: arguments.s64(),
    "shortstr": lambda arguments: arguments.shortstr(),
    "longstr": lambda arguments: arguments.longstr(),
    "table": lambda arguments: arguments.table(),
}


def arguments_of(octets: bytes, after: bytes = b"") -> Arguments:
    """The arguments of a method that stands between other octets."""
    data = b"before" + b"\x00\x32\x00\x0a" + octets + after
    return Arguments(data, 6, 10 + len(octets))


def test_arguments_come_one_after_the_other() -> None:
    octets = (
        b"\x01" + b"\xff\xfe" + b"\xff\xff\xff\xfd" + bytes(7) + b"\x05" + b"\x02ab" + b"\x00\x00\x00\x01c"
    )
    arguments = arguments_of(octets + codec.table({"n": 7}))
    assert arguments.u8() == 1
    assert arguments.u16() == 0xFFFE
    assert arguments.u32() == 0xFFFFFFFD
    assert arguments.s64() == 5
    assert arguments.shortstr() == b"ab"
    assert arguments.longstr() == b"c"
    assert arguments.table()[b"n"].value == 7


@thorough
@given(st.binary(max_size=30), st.lists(st.sampled_from(sorted(READS)), min_size=1, max_size=6))
def test_octets_after_the_end_make_no_difference(octets: bytes, reads: list[str]) -> None:
    def outcome(after: bytes) -> list[object]:
        arguments = arguments_of(octets, after)
        seen: list[object] = []
        try:
            for read in reads:
                value = READS[read](arguments)
                seen.append(sorted(value) if isinstance(value, dict) else value)
        except (FrameError, MalformedField) as error:
            seen.append(error.reply_text)
        return seen

    assert outcome(b"") == outcome(bytes(40)) == outcome(b"\x01" * 40)


@pytest.mark.parametrize(
    ("read", "octets"),
    [
        ("u8", b""),
        ("u16", b"\x00"),
        ("u32", b"\x00\x00\x00"),
        ("s64", bytes(7)),
        ("shortstr", b""),
        ("shortstr", b"\x03ab"),
        ("longstr", b"\x00\x00\x00"),
        ("longstr", b"\x00\x00\x00\x02a"),
        ("longstr", b"\xff\xff\xff\xffa"),
        ("table", b"\x00\x00\x00\x02\x01"),
    ],
)
def test_what_is_cut_short_is_a_frame_error_with_the_octets(read: str, octets: bytes) -> None:
    with pytest.raises(FrameError) as caught:
        READS[read](arguments_of(octets, b"more"))
    shown = codec_shown(octets)
    assert caught.value.text == f"cannot decode {shown}"


def codec_shown(octets: bytes) -> str:
    return "<<" + ",".join(map(str, octets)) + ">>"


def test_method_frame_has_its_size_and_end() -> None:
    writer = BytesWriter()
    writer.write(b"before")
    at = begin_method(writer, 7, QUEUE_DECLARE)
    write_shortstr(writer, b"name")
    end_method(writer, at)
    writer.write(b"after")
    assert writer.getvalue() == (
        b"before" + b"\x01\x00\x07\x00\x00\x00\x09" + b"\x00\x32\x00\x0a" + b"\x04name" + b"\xce" + b"after"
    )


def test_method_without_arguments_is_one_call() -> None:
    writer = BytesWriter()
    write_method(writer, 65535, TX_SELECT)
    assert writer.getvalue() == b"\x01\xff\xff\x00\x00\x00\x04\x00\x5a\x00\x0a\xce"
