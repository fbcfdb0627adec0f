"""The disk under the brokers' directories: its file system, and what a bare write and fdatasync take."""

import os
import time
from pathlib import Path
from statistics import median, quantiles

# About what a journal needs for one message of 16 B.
RECORD_BYTES = 160
FILE_BYTES = 16 << 20
NO_DISK = frozenset({"tmpfs", "ramfs"})

MOUNTS = Path("/proc/self/mounts")


def file_system(directory: Path) -> str:
    """The type of the file system that holds `directory`; empty where there is no /proc."""
    if not MOUNTS.exists():
        return ""
    wanted = str(directory.resolve()) + "/"
    best, kind = "", ""
    for line in MOUNTS.read_text().splitlines():
        _, place, found, *_ = line.split(" ")
        place = place.encode().decode("unicode_escape").rstrip("/") + "/"
        if wanted.startswith(place) and len(place) >= len(best):
            best, kind = place, found
    return kind


def bare_sync_us(directory: Path, preallocated: bool, seconds: float) -> tuple[float, float]:
    """Append records for so long, each synced: the median and the 99th percentile of one, in microseconds.

    The file grows with each of them, or is `preallocated`.
    """
    path = directory / "bare"
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    try:
        if preallocated:
            os.posix_fallocate(file, 0, FILE_BYTES)
        os.fsync(file)
        return _measured(file, seconds)
    finally:
        os.close(file)
        path.unlink()


def _measured(file: int, seconds: float) -> tuple[float, float]:
    record = b"r" * RECORD_BYTES
    taken: list[float] = []
    at = 0
    ends = time.perf_counter() + seconds
    while len(taken) < 2 or (time.perf_counter() < ends and at + RECORD_BYTES <= FILE_BYTES):
        began = time.perf_counter()
        os.pwrite(file, record, at)
        os.fdatasync(file)
        taken.append((time.perf_counter() - began) * 1e6)
        at += RECORD_BYTES
    return median(taken), quantiles(taken, n=100)[-1]
