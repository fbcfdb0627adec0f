"""Frames are kept in order, and it is known when they are too much."""

from supersoniq.session.held_frames import FRAME_BYTES, HELD_BYTES_MAX, HeldFrames


def test_frames_come_back_once_and_in_order() -> None:
    held = HeldFrames()
    held.hold(1, 0, b"first")
    held.hold(3, 7, b"second")
    frames = [(frame.kind, frame.channel, frame.payload) for frame in held.release()]
    assert frames == [(1, 0, b"first"), (3, 7, b"second")]
    assert held.release() == []


def test_frames_can_be_too_much() -> None:
    held = HeldFrames()
    held.hold(1, 0, bytes(HELD_BYTES_MAX - FRAME_BYTES))
    assert not held.is_too_much
    held.hold(1, 0, b"")
    assert held.is_too_much
    held.release()
    assert not held.is_too_much
