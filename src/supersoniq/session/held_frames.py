"""Frames that came while it was not known whether the client may log in, in their order."""

from typing import Final, final

# What may be held before the client's socket is left alone.
HELD_BYTES_MAX: Final = 65_536
FRAME_BYTES: Final = 100  # about what one costs beside its octets


@final
class HeldFrame:
    """One frame."""

    def __init__(self, kind: int, channel: int, payload: bytes) -> None:
        self.kind = kind
        self.channel = channel
        self.payload = payload


@final
class HeldFrames:
    """The frames, and how much they are."""

    def __init__(self) -> None:
        self._frames: list[HeldFrame] = []
        self._bytes = 0

    @property
    def is_too_much(self) -> bool:
        """Whether no more should come."""
        return self._bytes > HELD_BYTES_MAX

    def hold(self, kind: int, channel: int, payload: bytes) -> None:
        """Keep a frame."""
        self._frames.append(HeldFrame(kind, channel, payload))
        self._bytes += len(payload) + FRAME_BYTES

    def release(self) -> list[HeldFrame]:
        """Return what was kept, and keep it no more."""
        frames, self._frames = self._frames, []
        self._bytes = 0
        return frames
