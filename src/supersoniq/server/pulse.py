"""Ends turns.

After each event the node's deferred work is done once. What is left goes on when the loop has looked at all
sockets.
"""

import asyncio
import logging
from typing import final

from supersoniq.broker.turn import Turn

logger = logging.getLogger(__name__)


@final
class Pulse:
    """The turn of one node on its event loop."""

    def __init__(self, turn: Turn, loop: asyncio.AbstractEventLoop) -> None:
        self._turn = turn
        self._loop = loop
        self._is_asked = False
        self.count = 0  # turns so far

    def end_turn(self) -> None:
        """Do the deferred work; what is left runs after the loop has looked at all sockets."""
        self._end_turn(False)

    def _end_turn(self, goes_on: bool) -> None:
        self.count += 1
        try:
            is_more = self._turn.finish(goes_on)
        except Exception:
            # Whoever's event ended this turn is not to blame, and the others' work must go on.
            logger.exception("deferred work failed, please report it")
            is_more = True
        if is_more and not self._is_asked:
            self._is_asked = True
            self._loop.call_soon(self._again)

    def _again(self) -> None:
        self._is_asked = False
        self._end_turn(True)
