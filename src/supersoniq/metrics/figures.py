"""What a node uses of the machine, as the operating system tells it."""

import gc
import os
import shutil
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

if sys.platform != "win32":
    import resource

# Taken into the history of the node, under RabbitMQ's names.
SAMPLED = (
    "mem_used",
    "disk_free",
    "fd_used",
    "sockets_used",
    "proc_used",
    "gc_num",
    "io_read_count",
    "io_read_bytes",
    "io_write_count",
    "io_write_bytes",
    "io_sync_count",
)


@dataclass(frozen=True)
class Figures:
    """What is used, and limits; 0 where there is none, or nobody knows."""

    mem_used: int = 0
    mem_limit: int = 0
    disk_free: int = 0
    disk_free_limit: int = 0
    fd_used: int = 0
    fd_total: int = 0
    sockets_used: int = 0
    sockets_total: int = 0
    proc_used: int = 0
    proc_total: int = 0
    gc_num: int = 0
    io_read_count: int = 0
    io_read_bytes: int = 0
    io_write_count: int = 0
    io_write_bytes: int = 0
    io_sync_count: int = 0
    io_sync_seconds: float = 0.0

    def sampled(self) -> list[int]:
        """Return what goes into the history, in the order of `SAMPLED`."""
        return [getattr(self, name) for name in SAMPLED]


def open_descriptors() -> int:
    """Return how many descriptors the process has open, 0 where the system does not tell."""
    try:
        return len(os.listdir("/proc/self/fd")) - 1  # one is of the listing
    except OSError:
        return 0


def descriptors_max() -> int:
    """Return how many descriptors the process may have open, 0 for no limit."""
    if sys.platform == "win32":
        return 0
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 0 if soft == resource.RLIM_INFINITY else soft


def free_bytes(directory: Path | None) -> int:
    """Return what is free where a directory is, 0 if that is unknown."""
    if directory is None:
        return 0
    try:
        return shutil.disk_usage(directory).free
    except OSError:
        return 0


def collections() -> int:
    """Return how often Python's garbage collector has run."""
    return sum(generation["collections"] for generation in gc.get_stats())


def threads() -> int:
    """Return how many threads the process has."""
    return threading.active_count()
