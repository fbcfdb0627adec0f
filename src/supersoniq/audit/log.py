"""The audit log of a node: a line of JSON for each record, written by a thread of its own.

When the file would grow beyond its bound it becomes `audit.log.1`, which was `audit.log.2` before, and so on.
"""

import json
import logging
import os
import sys
from collections.abc import Callable
from io import TextIOWrapper
from logging.handlers import QueueListener, RotatingFileHandler
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from supersoniq.audit.records import audit_record
from supersoniq.broker.events import Events

logger = logging.getLogger(__name__)

# Records that wait for the disk; of what comes beyond only the number is logged.
WAITING_MAX: Final = 10_000


class AuditFile(RotatingFileHandler):
    """The file, for its owner's eyes only. What cannot be written is counted in `lost`."""

    def __init__(self, path: Path, bytes_max: int, files: int) -> None:
        """Open it; raises OSError."""
        self.lost = 0
        self._has_trouble = False
        super().__init__(path, maxBytes=bytes_max, backupCount=files - 1, encoding="utf-8")

    def _open(self) -> TextIOWrapper:
        # What came as no text at all is written as JSON escapes it.
        return open(self.baseFilename, "a", encoding="utf-8", errors="backslashreplace", opener=_private)

    def handleError(self, record: logging.LogRecord) -> None:
        """Take note of a record that could not be written."""
        self.lost += 1
        if not self._has_trouble:
            self._has_trouble = True
            logger.error("audit log %s cannot be written: %s", self.baseFilename, sys.exc_info()[1])
        if self.stream is not None:
            # What is buffered would fail again, together with what comes next.
            stream, self.stream = self.stream, None  # logging opens it again
            try:
                stream.close()
            except OSError:
                return

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; raises nothing."""
        lost = self.lost
        super().emit(record)
        if self._has_trouble and self.lost == lost:
            self._has_trouble = False
            logger.warning("audit log %s is written again; %d records are lost", self.baseFilename, lost)

    def reopen(self) -> None:
        """Go on in a new file of that name: somebody has moved the old one away."""
        self.acquire()
        try:
            if self.stream is not None:
                self.stream.close()
                self.stream = None  # logging opens it again
        finally:
            self.release()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class _Line(logging.Formatter):
    """Writes a record as JSON."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(record.__dict__["audit"], ensure_ascii=False)


class AuditLog(Events):
    """Listens to the events of a node from `start` to `stop`."""

    def __init__(
        self,
        path: Path,
        bytes_max: int,
        files: int,
        now_ms: Callable[[], int],
        waiting_max: int = WAITING_MAX,
    ) -> None:
        """Open the file; raises OSError. With `bytes_max` 0 there is only one, whatever its size."""
        self._file = AuditFile(path, bytes_max, files)
        self._file.setFormatter(_Line())
        self._now_ms = now_ms
        self._waiting_max = waiting_max
        self._waiting: SimpleQueue[logging.LogRecord] = SimpleQueue()
        self._listener = QueueListener(self._waiting, self._file)
        self.dropped = 0  # since the last record that was put
        self._is_running = False

    @property
    def lost(self) -> int:
        """How many records could not be written."""
        return self._file.lost

    def start(self) -> None:
        """Begin to write."""
        self._is_running = True
        self._listener.start()

    def stop(self) -> None:
        """Write what is left, and close the file."""
        if self._is_running:
            self._is_running = False
            self._listener.stop()
        self._file.close()

    def reopen(self) -> None:
        """Go on in a new file if the old one was moved away."""
        self._file.reopen()

    def is_heard(self) -> bool:
        """Whether it runs."""
        return self._is_running

    def emit(self, name: str, fields: dict[str, object]) -> None:
        """Have an event written, if there is a record of it."""
        record = audit_record(name, fields, self._now_ms())
        if record is None or not self._is_running:
            return
        if self._waiting.qsize() >= self._waiting_max:
            self.dropped += 1
            return
        if self.dropped:
            lost, self.dropped = self.dropped, 0
            self._put(_lost_record(record["time"], lost))
        self._put(record)

    def _put(self, record: dict[str, object]) -> None:
        self._waiting.put(logging.makeLogRecord({"audit": record}))


def _lost_record(time: object, count: int) -> dict[str, object]:
    nobody = dict.fromkeys(("user", "address", "connection", "vhost", "object"))
    return {"time": time, "event": "audit.lost", **nobody, "outcome": "failure", "detail": {"count": count}}
