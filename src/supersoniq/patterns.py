"""Regular expressions that operators write and that clients' names are matched with: none takes for ever.

Some take exponential time for some names, and clients choose names. What may is matched by a library that has
a limit of time: what is not found within it is not there, as in RabbitMQ, whose limit is one of steps.
"""

import importlib
import logging
import re
from typing import Any, AnyStr, Final, Generic

logger = logging.getLogger(__name__)

# The longest name has 255 octets: with one repetition all places of it are looked at in microseconds.
REPETITIONS_MAX: Final = 1
SECONDS_MAX: Final = 0.02

# Of a pattern all that is no repetition: what is escaped, and sets.
_NO_REPETITION: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_REPETITION: Final = re.compile(r"[*+]|\{\d*,\d*\}")
_REPEATED_GROUP: Final = re.compile(r"\)(?:[*+]|\{)")


class Pattern(Generic[AnyStr]):
    """A pattern that is found anywhere in a name unless it says where; raises what `re.compile` does."""

    def __init__(self, pattern: AnyStr) -> None:
        self._text: AnyStr = pattern
        self._expression: re.Pattern[AnyStr] = re.compile(pattern)
        self._is_told = False
        self._limited: Any = _with_limit(pattern) if may_take_long(pattern) else None

    def found_in(self, name: AnyStr) -> bool:
        """Whether it is found in a name; false where that takes too long to say."""
        if self._limited is None:
            return self._expression.search(name) is not None
        try:
            return self._limited.search(name, timeout=SECONDS_MAX) is not None
        except TimeoutError:
            if not self._is_told:
                self._is_told = True
                logger.warning(
                    "pattern %r takes too long for names such as %r, and so does not match them: write it "
                    "without repetitions inside of repetitions",
                    self._text,
                    name,
                )
            return False


def may_take_long(pattern: str | bytes) -> bool:
    """Whether there may be names for which matching takes more than some microseconds."""
    shown = pattern if isinstance(pattern, str) else pattern.decode("latin-1")
    bare = _NO_REPETITION.sub("x", shown)
    return len(_REPETITION.findall(bare)) > REPETITIONS_MAX or _REPEATED_GROUP.search(bare) is not None


def _with_limit(pattern: str | bytes) -> Any:
    """Return the same for the library; None for the few that it does not understand."""
    regex = importlib.import_module("regex")  # few need it, and it takes its time to load
    try:
        return regex.compile(pattern, regex.VERSION0)
    except regex.error:
        return None
