"""JSON: names that are no text, numbers that JSON does not know."""

import pytest

from supersoniq.amqp.primitives import text
from supersoniq.management.encoding import decode, encode


def test_octets_that_are_no_text_do_not_break_an_answer() -> None:
    assert encode({"name": text(b"caf\xff"), "list": [text(b"\xff")]}) == b'{"name":"caf?","list":["?"]}'


@pytest.mark.parametrize("data", [b"", b"{", b"NaN", b"\xff", b'{"a":1}x', b"[" * 100_000])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(data)
