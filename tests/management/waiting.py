"""Waiting until something holds, with a generous deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
SECONDS = 30


def eventually(look: Callable[[], Found]) -> Found:
    """What `look` finds as soon as it is something."""
    deadline = time.monotonic() + SECONDS
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)
