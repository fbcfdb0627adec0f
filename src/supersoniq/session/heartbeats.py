"""Heartbeats of one connection: sent where half an interval brought nothing else, expected of the client."""

from typing import Final, final

from supersoniq.session.client import Client

TICKS_PER_SECOND: Final = 2
# A client is gone when nothing came for this many half heartbeat intervals.
SILENT_HALVES_MAX: Final = 5


@final
class Heartbeats:
    """Counts ticks; `was_fed` is set whenever something came."""

    def __init__(self, client: Client) -> None:
        self.was_fed = False
        self._client = client
        self._half_ticks = 0
        self._ticks_left = 0
        self._silent_halves = 0

    def start(self, interval_seconds: int) -> None:
        """Begin to send and to expect them; 0 for never."""
        self._half_ticks = interval_seconds * TICKS_PER_SECOND // 2
        self._ticks_left = self._half_ticks

    def tick(self) -> bool:
        """Take note that a tick has passed; false if the client is silent for too long."""
        if self._half_ticks == 0:
            return True
        self._ticks_left -= 1
        if self._ticks_left > 0:
            return True
        self._ticks_left = self._half_ticks
        self._beat()
        if self.was_fed or self._client.is_blocked:
            self.was_fed = False
            self._silent_halves = 0
        else:
            self._silent_halves += 1
        return self._silent_halves < SILENT_HALVES_MAX

    def _beat(self) -> None:
        output = self._client.output
        if not output.was_used:
            output.heartbeat()
            output.run()
        output.was_used = False
