"""A message as frames, read back by the frame reader."""

from hypothesis import given
from hypothesis import strategies as st
from tests.client.pipe import frames_in

from supersoniq.amqp.properties import Properties
from supersoniq.amqp.spec import BASIC_PUBLISH
from supersoniq.client.publishing import MANDATORY, publish_frames


@given(st.binary(max_size=20_000), st.integers(4096, 8192), st.integers(1, 65535))
def test_body_is_cut_to_the_frame_size_and_comes_back_whole(
    body: bytes, frame_max_bytes: int, channel: int
) -> None:
    header = Properties().content_header(len(body))
    data = publish_frames(channel, b"x", b"key", header, body, frame_max_bytes)
    frames = frames_in(data, frame_max_bytes)
    assert frames[0] == (BASIC_PUBLISH, channel, b"\x00\x00\x01x\x03key\x00")
    assert frames[1] == ("header", channel, header)
    assert b"".join([payload for kind, _, payload in frames[2:] if kind == "body"]) == body
    assert len(frames) == 2 + -(-len(body) // (frame_max_bytes - 8))


def test_mandatory_is_the_first_bit() -> None:
    data = publish_frames(1, b"", b"", Properties().content_header(0), b"", 4096, MANDATORY)
    assert frames_in(data)[0][2][-1] == 1
