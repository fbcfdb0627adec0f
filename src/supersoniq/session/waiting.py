"""Who waits for room that several share, and in which order they are offered it again."""

from typing import final

from mypy_extensions import trait


@trait
class Waiter:
    """Asks again for what it was refused. It may have no use for it any more."""

    def offered(self) -> None:
        """Ask again."""
        raise AssertionError("a Waiter says what it does")


@final
class Waiting:
    """Those who were refused since there was room last.

    Who is refused first is most often who took the last room. It is offered it after all others: one who
    takes all there is each time would leave them none.
    """

    def __init__(self) -> None:
        self._waiters: dict[Waiter, None] = {}

    def add(self, waiter: Waiter) -> None:
        """Remember somebody who was refused; once, however often that was."""
        self._waiters[waiter] = None

    def remove(self, waiter: Waiter) -> None:
        """Forget somebody, who need not be here."""
        self._waiters.pop(waiter, None)

    def offer(self) -> None:
        """Have everybody ask again; those who are refused again wait again."""
        if not self._waiters:
            return
        first, *others = self._waiters
        self._waiters = {}
        for waiter in others:
            waiter.offered()
        first.offered()
