"""How log records look and which of them are written.

Modules use the standard library's `logging`; records are rendered at the edge, for people (`console`) or for
machines (`json`: one object per line, with `timestamp`, `level`, `logger` and `event`, and with fields that
say who a line is about).
"""

import json
import logging
import sys
import time
from collections import deque
from collections.abc import Mapping
from typing import Final, Literal, TextIO

ROOT = "supersoniq"
# Fields whose values are in the text, too: for people once is enough.
IN_THE_TEXT = ("connection", "user", "vhost", "channel", "reply_code")
RECENT_LINES = 1000
# The fields that every record has.
STANDARD_FIELDS: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}

# How a terminal is told to look.
RESET, BOLD, DIM, BLUE, CYAN = "\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[34m", "\x1b[36m"
COLOURS: Final = {
    "debug": CYAN, "info": "\x1b[32m", "warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[31;1m"
}  # fmt: skip


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
    handler.setFormatter(JsonLines() if format == "json" else ConsoleLines(has_colours=target.isatty()))
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


class JsonLines(logging.Formatter):
    """One JSON object per record."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object; what JSON cannot say becomes its text."""
        fields = {
            "event": record.getMessage(),
            **_extra(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": _time(record.created),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, default=str)


class ConsoleLines(logging.Formatter):
    """One line per record, and the traceback of an error below it."""

    def __init__(self, has_colours: bool) -> None:
        super().__init__()
        self._has_colours = has_colours

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; what its text says already is not said again."""
        level = record.levelname.lower()
        colour = COLOURS.get(level, "")
        more = "".join(
            f" {self._in(CYAN, name)}={value}"
            for name, value in _extra(record).items()
            if name not in IN_THE_TEXT
        )
        head = f"{self._in(DIM, _time(record.created))} [{self._in(colour, f'{level:<8}')}]"
        line = f"{head} {self._in(BOLD, record.getMessage())} [{self._in(BLUE, record.name)}]{more}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{RESET}" if self._has_colours and colour else text


def _extra(record: logging.LogRecord) -> dict[str, object]:
    """The fields that whoever logged has added."""
    return {name: value for name, value in record.__dict__.items() if name not in STANDARD_FIELDS}
