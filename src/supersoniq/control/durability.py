"""Waiting until a change is safe in the store."""

import asyncio
from typing import final

from supersoniq.broker.store import Store
from supersoniq.broker.turn import Deferred
from supersoniq.control.errors import NotStored


@final
class Awaited(Deferred):
    """One who waits for a sequence; `safe` is done when it is, or fails with NotStored."""

    def __init__(self, store: Store, sequence: int) -> None:
        super().__init__()
        self.safe: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._store = store
        self._sequence = sequence
        self.durable_moved()

    def run(self) -> bool:
        """Do nothing at the end of a turn."""
        return False

    def durable_moved(self) -> None:
        """Look whether it is safe now."""
        if self.safe.done():
            return
        if self._store.durable() >= self._sequence:
            self.safe.set_result(None)
        elif self._store.refused() >= self._sequence:
            self.safe.set_exception(NotStored("the disk did not take it, which is tried again"))
        else:
            self._store.wait(self)
