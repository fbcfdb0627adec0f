"""An event loop that runs when it is told to, and a socket that notes what is done to it."""

import asyncio
from collections.abc import Callable, Iterable
from typing import cast


class FakeLoop:
    """Keeps callbacks until `run`; its clock stands still until somebody moves `now`."""

    def __init__(self) -> None:
        self.now = 0.0
        self.soon: list[Callable[[], object]] = []
        self.later: list[tuple[float, Callable[[], object]]] = []

    def as_loop(self) -> asyncio.AbstractEventLoop:
        """Itself, for those who ask for no more than it can do."""
        return cast(asyncio.AbstractEventLoop, self)

    def time(self) -> float:
        return self.now

    def call_soon(self, callback: Callable[[], object]) -> None:
        self.soon.append(callback)

    def call_later(self, delay: float, callback: Callable[[], object]) -> None:
        self.later.append((delay, callback))

    def run(self) -> None:
        """Call what waits, timers included, but not what that schedules."""
        callbacks = [*self.soon, *[callback for _, callback in self.later]]
        self.soon, self.later = [], []
        for callback in callbacks:
            callback()


class FakeSocket(asyncio.Transport):
    """As with asyncio's, writing after `write_eof` is an error."""

    def __init__(self, peer: object = ("127.0.0.1", 50000), can_write_eof: bool = True) -> None:
        super().__init__({"peername": peer})
        self.writes: list[bytes] = []
        self.limit: int | None = None
        self.buffered_bytes = 0
        self.is_reading_now = True
        self.is_ended = False
        self.protocol: object = None
        self.is_closed = False
        self.is_aborted = False
        self._can_write_eof = can_write_eof

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writelines([data])

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        if self.is_ended:
            raise RuntimeError("Cannot call write() after write_eof()")
        self.writes.extend([bytes(data) for data in list_of_data])

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.limit = high

    def get_write_buffer_size(self) -> int:
        return self.buffered_bytes

    def can_write_eof(self) -> bool:
        return self._can_write_eof

    def write_eof(self) -> None:
        assert not self.is_ended
        self.is_ended = True

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_aborted = True

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def pause_reading(self) -> None:
        self.is_reading_now = False

    def resume_reading(self) -> None:
        self.is_reading_now = True
