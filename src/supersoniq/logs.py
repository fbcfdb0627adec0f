"""How log records look and which of them are written.

Modules use the standard library's `logging`; structlog renders their records at the edge, for people
(`console`) or for machines (`json`: one object per line, with `timestamp`, `level`, `logger` and `event`).
"""

import logging
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    from structlog.typing import Processor

ROOT = "supersoniq"


def setup(
    level: str = "info",
    format: Literal["auto", "console", "json"] = "auto",
    levels: Mapping[str, str] | None = None,
    stream: TextIO | None = None,
) -> None:
    """Send the records of this process to `stream` (stderr), instead of where they went before.

    `level` is for our own loggers and `levels` for single ones by name, theirs or ours; other libraries are
    heard from WARNING. `auto` is the console on a terminal and JSON elsewhere. A program calls this, never
    the library: an embedded broker logs as its host does.
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
    root.setLevel(logging.WARNING)
    logging.getLogger(ROOT).setLevel(level.upper())
    for name, own_level in (levels or {}).items():
        logging.getLogger(name).setLevel(own_level.upper())


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
        edge = [dev.ConsoleRenderer(colors=is_terminal, exception_formatter=dev.plain_traceback)]
    return stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[stdlib.ProcessorFormatter.remove_processors_meta, *edge]
    )
