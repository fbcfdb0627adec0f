"""How log records look and which of them are written.

Modules use the standard library's `logging`; structlog renders their records at the edge, for people
(`console`) or for machines (`json`: one object per line, with `timestamp`, `level`, `logger` and `event`, and
with fields that say who a line is about).
"""

import logging
import sys
import time
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

ROOT = "supersoniq"
# Fields whose values are in the text, too: for people once is enough.
IN_THE_TEXT = ("connection", "user", "vhost", "channel", "reply_code")
RECENT_LINES = 1000


class RecentLog(logging.Handler):
    """Keeps the last records, for who asks the running node for its log."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: deque[tuple[float, str, str, str]] = deque(maxlen=RECENT_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what is logged; how it looks is decided when it is asked for."""
        text = record.getMessage()
        if record.exc_info is not None and record.exc_info[1] is not None:
            error = record.exc_info[1]
            text += f": {type(error).__name__}: {error}"
        self._kept.append((record.created, record.levelname.lower(), record.name, text))

    def lines(self, count: int) -> list[str]:
        """Return the last lines, the oldest first."""
        kept = list(self._kept)[-count:] if count > 0 else []
        return [f"{_time(created)} [{level}] {text} [{name}]" for created, level, name, text in kept]


def _time(seconds: float) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{int(seconds % 1 * 1000):03}Z"


def setup(
    level: str = "info",
    format: Literal["auto", "console", "json"] = "auto",
    levels: Mapping[str, str] | None = None,
    stream: TextIO | None = None,
) -> RecentLog:
    """Send the records of this process to `stream` (stderr), instead of where they went before.

    `level` is for our own loggers and `levels` for single ones by name, theirs or ours; other libraries are
    heard from WARNING. `auto` is the console on a terminal and JSON elsewhere. A program calls this, never
    the library: an embedded broker logs as its host does. What is returned has the last records.
    """
    target = sys.stderr if stream is None else stream
    if format == "auto":
        format = "console" if target.isatty() else "json"
    handler = logging.StreamHandler(target)
    handler.setFormatter(formatter(format, is_terminal=target.isatty()))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    recent = RecentLog()
    root.addHandler(recent)
    root.setLevel(logging.WARNING)
    logging.getLogger(ROOT).setLevel(level.upper())
    for name, own_level in (levels or {}).items():
        logging.getLogger(name).setLevel(own_level.upper())
    return recent


def formatter(format: Literal["console", "json"], is_terminal: bool) -> logging.Formatter:
    """A formatter for records of the standard library; colours only for the console on a terminal."""
    from structlog import dev, processors, stdlib

    shared: list[Processor] = [
        stdlib.add_log_level,
        stdlib.add_logger_name,
        stdlib.ExtraAdder(),
        processors.TimeStamper(fmt="iso", utc=True),
    ]
    edge: list[Processor]
    if format == "json":
        edge = [processors.format_exc_info, processors.JSONRenderer(default=str)]
    else:
        edge = [
            _without_repetition,
            dev.ConsoleRenderer(colors=is_terminal, exception_formatter=dev.plain_traceback),
        ]
    return stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[stdlib.ProcessorFormatter.remove_processors_meta, *edge]
    )


def _without_repetition(_: "WrappedLogger", __: str, event: "EventDict") -> "EventDict":
    for name in IN_THE_TEXT:
        event.pop(name, None)
    return event
