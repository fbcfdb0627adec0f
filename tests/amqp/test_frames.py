"""A stream gives the same frames however it is cut, and what is no frame is a 501 that says what it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mypy_extensions import i64
from tests.definitions import cut, thorough

from supersoniq.amqp.errors import FrameError
from supersoniq.amqp.frames import HEARTBEAT, FrameHandler, FrameReader

Frame = tuple[int, int, bytes]


class Frames(FrameHandler):
    """Keeps each frame as (type, channel, payload)."""

    def __init__(self) -> None:
        self.all: list[Frame] = []

    def method_frame(self, channel: i64, data: bytes, start: i64, end: i64) -> None:
        self.all.append((1, int(channel), data[start:end]))

    def header_frame(self, channel: i64, data: bytes, start: i64, end: i64) -> None:
        self.all.append((2, int(channel), data[start:end]))

    def body_frame(self, channel: i64, data: bytes, start: i64, end: i64) -> bool:
        self.all.append((3, int(channel), data[start:end]))
        return False

    def heartbeat_frame(self, channel: i64) -> None:
        self.all.append((8, int(channel), b""))


def frame(kind: int, channel: int, payload: bytes, end: bytes = b"\xce") -> bytes:
    return bytes([kind]) + channel.to_bytes(2) + len(payload).to_bytes(4) + payload + end


def fed(pieces: list[bytes], frame_max_bytes: int = 4096) -> list[Frame]:
    frames = Frames()
    reader = FrameReader(frames, frame_max_bytes)
    for piece in pieces:
        reader.feed(piece)
    return frames.all


def refusal(pieces: list[bytes], frame_max_bytes: int = 4096) -> FrameError:
    with pytest.raises(FrameError) as caught:
        fed(pieces, frame_max_bytes)
    return caught.value


drawn_frames = st.lists(
    st.tuples(st.sampled_from([1, 2, 3]), st.integers(0, 65535), st.binary(max_size=30))
    | st.tuples(st.just(8), st.integers(0, 65535), st.just(b"")),
    max_size=8,
)


@thorough
@given(drawn_frames, st.lists(st.integers(0, 400), max_size=12))
def test_stream_gives_the_same_frames_wherever_it_is_cut(frames: list[Frame], places: list[int]) -> None:
    stream = b"".join([frame(*each) for each in frames])
    assert fed(cut(stream, places)) == frames


def test_stream_that_comes_octet_by_octet_gives_the_same_frames() -> None:
    frames = [(1, 0, b"method"), (8, 0, b""), (2, 7, b""), (3, 65535, bytes(300))]
    stream = b"".join([frame(*each) for each in frames])
    assert fed([bytes([octet]) for octet in stream]) == frames


def test_frame_is_handed_over_as_soon_as_it_is_complete() -> None:
    frames = Frames()
    reader = FrameReader(frames, 4096)
    stream = frame(1, 1, b"abcd")
    reader.feed(stream[:-1])
    assert frames.all == []
    reader.feed(stream[-1:])
    assert frames.all == [(1, 1, b"abcd")]


def test_empty_data_changes_nothing() -> None:
    stream = frame(1, 1, b"abcd")
    assert fed([b"", stream[:9], b"", stream[9:]]) == [(1, 1, b"abcd")]


@pytest.mark.parametrize("size", [4096, 4088, 1, 0])
def test_frame_up_to_the_limit_is_taken(size: int) -> None:
    assert fed([frame(3, 1, bytes(size))]) == [(3, 1, bytes(size))]


@pytest.mark.parametrize("pieces", [1, 2, 8])
def test_frame_above_the_limit_is_refused_by_its_head_alone(pieces: int) -> None:
    head = frame(3, 1, bytes(4097))[:8]
    error = refusal(cut(head, [8 // pieces * place for place in range(pieces)]))
    assert error.text == "type 3, all octets = <<>>: {frame_too_large,4097,4088}"


def test_limit_can_be_changed() -> None:
    frames = Frames()
    reader = FrameReader(frames, 4096)
    reader.limit(8192)
    reader.feed(frame(3, 1, bytes(8192)))
    assert len(frames.all) == 1
    with pytest.raises(FrameError):
        reader.feed(frame(3, 1, bytes(8193)))


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x80000000])
def test_size_is_unsigned(size: int) -> None:
    head = b"\x03\x00\x01" + size.to_bytes(4) + b"x"
    assert f"{{frame_too_large,{size},4088}}" in refusal([head]).text


def test_wrong_frame_end_is_named_with_the_payload() -> None:
    error = refusal([frame(1, 1, b"\x00\x0a", b"\xcd")])
    assert error.text == "type 1, all octets = <<0,10>>: {invalid_frame_end_marker,205}"


def test_unknown_type_is_named_with_the_payload() -> None:
    error = refusal([frame(4, 1, b"text")])
    assert error.text == 'type 4, all octets = <<"text">>: unknown_frame'


@pytest.mark.parametrize("kind", [0, 4, 5, 7, 9, 65, 255])
def test_unknown_type_is_refused_as_soon_as_its_head_is_there(kind: int) -> None:
    assert refusal([frame(kind, 1, bytes(100))[:7]]).reply_code == 501


@thorough
@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=5))
def test_garbage_is_refused_wherever_it_is_cut(garbage: bytes, places: list[int]) -> None:
    def outcome(pieces: list[bytes]) -> tuple[list[Frame], bool]:
        frames = Frames()
        reader = FrameReader(frames, 4096)
        try:
            for piece in pieces:
                reader.feed(piece)
        except FrameError:
            return frames.all, True
        return frames.all, False

    # An unknown type with a long payload is refused at its head, so the rest makes no difference.
    rest = bytes(5000)
    assert outcome([garbage + rest]) == outcome([*cut(garbage, places), rest])


def test_heartbeat_with_a_payload_is_none() -> None:
    assert refusal([frame(8, 0, b"x")]).text == 'type 8, all octets = <<"x">>: unknown_frame'


def test_heartbeat_is_a_frame() -> None:
    assert fed([HEARTBEAT]) == [(8, 0, b"")]


# Content that begins alike


class Repeats(Frames):
    """Takes content by `repeated_frames` whenever it may; keeps it as (type 0, 0, body)."""

    def __init__(self) -> None:
        super().__init__()
        self.is_willing = True

    def body_frame(self, channel: i64, data: bytes, start: i64, end: i64) -> bool:
        super().body_frame(channel, data, start, end)
        return True

    def repeated_frames(self, data: bytes, start: i64, end: i64) -> bool:
        if self.is_willing:
            self.all.append((0, 0, data[start:end]))
        return self.is_willing

    @property
    def kinds(self) -> list[int]:
        return [kind for kind, _, _ in self.all]


def content(body: bytes, channel: int = 1, method: bytes = b"publish", header: bytes = b"header") -> bytes:
    return frame(1, channel, method) + frame(2, channel, header) + frame(3, channel, body)


LONG = [1, 2, 3]


@pytest.mark.parametrize("body", [b"b", b"body", bytes(3000)])
def test_content_that_begins_alike_is_compared_as_one(body: bytes) -> None:
    frames = Repeats()
    other = body[:-1] + b"!"
    FrameReader(frames, 4096).feed(content(body) + content(other) + content(body))
    assert frames.kinds == [*LONG, 0, 0]
    assert [payload for _, _, payload in frames.all[3:]] == [other, body]


def test_content_that_begins_alike_may_come_in_another_read() -> None:
    frames = Repeats()
    reader = FrameReader(frames, 4096)
    for _ in range(3):
        reader.feed(content(b"body") + frame(8, 0, b""))
    assert frames.kinds == [*LONG, 8, 0, 8, 0, 8]


@pytest.mark.parametrize(
    "other",
    [
        content(b"bodies"),
        content(b"body", channel=2),
        content(b"body", method=b"PUBLISH"),
        content(b"body", method=b"publish more"),
        content(b"body", header=b"HEADER"),
        content(b"body", header=b"headers"),
    ],
)
def test_content_that_begins_otherwise_is_taken_frame_by_frame(other: bytes) -> None:
    frames = Repeats()
    FrameReader(frames, 4096).feed(content(b"body") + other)
    assert frames.kinds == [*LONG, *LONG]


def test_content_that_the_handler_does_not_want_repeated_is_taken_frame_by_frame() -> None:
    frames = Repeats()
    frames.is_willing = False
    FrameReader(frames, 4096).feed(content(b"body") * 2)
    assert frames.kinds == [*LONG, *LONG]


def test_content_that_came_in_pieces_is_not_remembered() -> None:
    frames = Repeats()
    reader = FrameReader(frames, 4096)
    stream = content(b"body")
    for octet in stream:
        reader.feed(bytes([octet]))
    reader.feed(stream)
    assert frames.kinds == [*LONG, *LONG]
    reader.feed(stream)
    assert frames.kinds == [*LONG, *LONG, 0]


@pytest.mark.parametrize(
    "stream",
    [
        frame(1, 2, b"publish") + frame(1, 1, b"another") + frame(2, 2, b"header") + frame(3, 2, b"body"),
        frame(1, 1, b"publish") + frame(8, 0, b"") + frame(2, 1, b"header") + frame(3, 1, b"body"),
        frame(1, 1, b"publish") + frame(2, 1, b"header") + frame(8, 0, b"") + frame(3, 1, b"body"),
        frame(1, 1, b"publish") + frame(3, 1, b"body"),
        frame(2, 1, b"header") + frame(3, 1, b"body"),
    ],
)
def test_only_frames_that_follow_each_other_are_remembered(stream: bytes) -> None:
    frames = Repeats()
    FrameReader(frames, 4096).feed(stream * 2)
    assert 0 not in frames.kinds


def test_bad_end_after_what_is_alike_is_told_as_ever() -> None:
    frames = Repeats()
    with pytest.raises(FrameError) as caught:
        FrameReader(frames, 4096).feed(content(b"body") + content(b"body")[:-1] + b"\xcd" + bytes(8))
    assert caught.value.text == 'type 3, all octets = <<"body">>: {invalid_frame_end_marker,205}'
    assert frames.kinds == [*LONG, 1, 2]


def test_new_limit_is_kept_for_what_is_alike() -> None:
    reader = FrameReader(Repeats(), 4096)
    reader.feed(content(bytes(3000)))
    reader.limit(2000)
    with pytest.raises(FrameError, match="frame_too_large"):
        reader.feed(content(bytes(3000)))


@thorough
@given(
    st.lists(
        st.tuples(st.sampled_from([b"a", b"b", b"cc"]), st.integers(1, 2), st.sampled_from([b"p", b"q"])),
        max_size=12,
    ),
    st.lists(st.integers(0, 300), max_size=6),
)
def test_content_is_the_same_however_it_is_taken(
    contents: list[tuple[bytes, int, bytes]], places: list[int]
) -> None:
    frames = Repeats()
    reader = FrameReader(frames, 4096)
    stream = b"".join([content(body, channel, method) for body, channel, method in contents])
    for piece in cut(stream, places):
        reader.feed(piece)
    bodies = [payload for kind, _, payload in frames.all if kind in (0, 3)]
    assert bodies == [body for body, _, _ in contents]
