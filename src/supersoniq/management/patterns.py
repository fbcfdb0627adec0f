"""Regular expressions of requests: matched within a limit of time, for some take for ever."""

from time import perf_counter
from typing import Final

import regex

from supersoniq.management.errors import bad_request

# For all names that one request has matched.
SECONDS_MAX: Final = 0.25
SECONDS_MAX_EACH: Final = 0.01


class Pattern:
    """A pattern that matches anywhere in a name unless it says where; raises 400 for one that is none."""

    def __init__(self, pattern: str, complaint: str) -> None:
        self._left_seconds = SECONDS_MAX
        try:
            self._expression = regex.compile(pattern)
        except (regex.error, OverflowError, RecursionError, ValueError):
            raise bad_request(complaint) from None

    def matches(self, name: str) -> bool:
        """Whether it is found in a name; raises 400 when all of them together have taken too long."""
        started = perf_counter()
        try:
            found = self._expression.search(name, timeout=SECONDS_MAX_EACH) is not None
        except TimeoutError:
            raise bad_request("The regular expression takes too long") from None
        self._left_seconds -= perf_counter() - started
        if self._left_seconds < 0:
            raise bad_request("The regular expression takes too long")
        return found
