"""How much memory this process uses and may use."""

import contextlib
import ctypes
import gc
import os
import sys
from pathlib import Path

# Of glibc's mallopt.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
# What a turn's buffers need, which are freed at its end.
_KEPT_BYTES = 8 * 1024 * 1024
_MAPPED_BYTES = 4 * 1024 * 1024

_CGROUP_FILES = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def resident_bytes() -> int:
    """Return the memory this process occupies, 0 where the system does not tell."""
    try:
        fields = Path("/proc/self/statm").read_bytes().split()
    except OSError:
        return 0
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def available_bytes() -> int:
    """Return the memory of the machine, or of the container if that is less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in _CGROUP_FILES:
        try:
            limit = Path(name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if limit.isdigit():
            total = min(total, int(limit))
    return total


def release_free_bytes() -> None:
    """Give free memory of this process back to the system, where the C library can."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def keep_free_bytes() -> None:
    """Have the C library keep some megabytes that were freed, instead of giving them back at once.

    Each turn's buffers are freed at its end. Left alone, the library may return them to the system every
    time, and the page faults of the next turn then cost as much as its messages
    (docs/adr/0008-memory-of-the-process.md).
    For a process that is a broker; an embedded one leaves its host's settings alone.
    """
    with contextlib.suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        library.mallopt(_M_MMAP_THRESHOLD, _MAPPED_BYTES)


def switch_often() -> None:
    """Let the store's threads wait no longer than half a millisecond for the interpreter, not five.

    The loop leaves it to them only between turns, and not even then unless they have waited so long. For a
    process that is a broker.
    """
    sys.setswitchinterval(0.0005)


def collect_seldom() -> None:
    """Have Python's garbage collector leave what there is alone, and look at new objects less often.

    Messages and entries are not its business, as they cannot be part of a cycle; what is (connections,
    channels, bindings) comes and goes by hundreds, not millions. For a process that is a broker.
    """
    # Without collecting first: of what a start has made, next to nothing is garbage.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()
