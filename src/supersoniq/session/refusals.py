"""The last refusals: channels and connections that were closed for an error, with what is known of each."""

from typing import Final, final

REFUSALS_MAX: Final = 200


@final
class Refusal:
    """One close. `channel` is 0 for a connection's; `method` has class and number of the method at fault."""

    def __init__(
        self,
        at_ms: int,
        user: str,
        address: str,
        connection: str,
        client_name: str,
        vhost: str,
        channel: int,
        reply_code: int,
        reply_text: str,
        method: str,
    ) -> None:
        self.at_ms = at_ms
        self.user = user
        self.address = address
        self.connection = connection
        self.client_name = client_name
        self.vhost = vhost
        self.channel = channel
        self.reply_code = reply_code
        self.reply_text = reply_text
        self.method = method


@final
class Refusals:
    """Keeps the last ones; `count` is of all there were."""

    def __init__(self) -> None:
        self.count = 0
        self._last: list[Refusal] = []

    def note(self, refusal: Refusal) -> None:
        """Add one, and forget the oldest if there are too many."""
        self.count += 1
        self._last.append(refusal)
        if len(self._last) > REFUSALS_MAX:
            del self._last[0]

    def latest(self) -> list[Refusal]:
        """Return what is kept, the latest first."""
        return self._last[::-1]
