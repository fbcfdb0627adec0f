"""A bar for work that takes long, for who watches it on a terminal."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any

from supersoniq.cli.remote.api import ApiError
from supersoniq.cli.remote.call import Call

# What is done sooner needs no bar.
PATIENCE_SECONDS = 1.0
POLL_SECONDS = 0.25


class _Work(threading.Thread):
    """Does the work, and keeps what came of it."""

    def __init__(self, do: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._do = do
        self.result: Any = None
        self.error: ApiError | None = None

    def run(self) -> None:
        """Do it once."""
        try:
            self.result = self._do()
        except ApiError as error:
            self.error = error


def with_progress(call: Call, title: str, total: int, do: Callable[[], Any], done: Callable[[], int]) -> Any:
    """What `do` returns or raises. A bar shows how many of `total` are `done`, if that takes long."""
    if not call.is_terminal or call.as_json:
        return do()
    work = _Work(do)
    work.start()
    work.join(PATIENCE_SECONDS)
    if work.is_alive():
        _watch(work, title, total, done)
    if work.error is not None:
        raise work.error
    return work.result


def _watch(work: threading.Thread, title: str, total: int, done: Callable[[], int]) -> None:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task(title, total=total)
        while work.is_alive():
            work.join(POLL_SECONDS)
            with contextlib.suppress(ApiError):  # the bar is not worth an error
                bar.update(task, completed=max(done(), 0))
