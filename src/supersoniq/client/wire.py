"""The way out of one connection: gathers frames, and knows whether the transport takes more."""

import asyncio
from typing import final

from librt.strings import BytesWriter

from supersoniq.amqp.spec import FRAME_MIN_BYTES


@final
class Wire:
    """Frames are appended to `out` and leave with `flush`; `write` is for bytes that are ready."""

    def __init__(self) -> None:
        self.out = BytesWriter()
        self.is_writable = False
        self.frame_max_bytes: int = FRAME_MIN_BYTES
        self._transport: asyncio.Transport | None = None

    def attach(self, transport: asyncio.Transport) -> None:
        """Write to `transport` from now on."""
        self._transport = transport
        self.is_writable = True

    def detach(self) -> None:
        """Drop everything written from now on."""
        self._transport = None
        self.is_writable = False

    def hold_at(self, held_bytes: int) -> None:
        """Stop being writable when the transport holds more than `held_bytes`.

        With 0 every write is a system call of its own; else the event loop joins the writes of one turn.
        """
        if self._transport is not None:
            self._transport.set_write_buffer_limits(held_bytes)

    def write(self, data: bytes) -> None:
        """Write `data` after what is in `out`."""
        transport = self._transport
        if transport is None:
            return
        if len(self.out) > 0:
            self.flush()
        transport.write(data)

    def flush(self) -> None:
        """Write what is in `out`, in one piece."""
        out = self.out
        if len(out) == 0:
            return
        transport = self._transport
        if transport is not None:
            transport.write(out.getvalue())
        out.truncate(0)
