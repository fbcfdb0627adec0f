"""CPU time and memory of the broker's processes, read from /proc, and of this process."""

import os
import resource
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Usage:
    """What a process and its descendants have used so far, and hold now."""

    cpu_seconds: float
    rss_bytes: int


def broker_usage(pid: int) -> Usage:
    """Sum up `pid` and its living descendants; raises ValueError if there is no such process or no /proc."""
    processes = _stats()
    if pid not in processes:
        raise ValueError(f"no process {pid} in {PROC}")
    ticks = 0
    pages = 0
    wanted = [pid]
    while wanted:
        parent = wanted.pop()
        fields = processes[parent]
        ticks += int(fields[11]) + int(fields[12])
        pages += int(fields[21])
        wanted += [child for child, stat in processes.items() if int(stat[1]) == parent]
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE"))


def own_cpu_seconds() -> float:
    """What this process has used so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _stats() -> dict[int, list[str]]:
    """Each process's stat from its state on: 0 state, 1 parent, 11 utime, 12 stime, 21 resident pages."""
    stats: dict[int, list[str]] = {}
    for entry in PROC.glob("[0-9]*"):
        try:
            text = (entry / "stat").read_text()
        except OSError:  # it ended meanwhile
            continue
        # The name, in parentheses, may hold blanks and parentheses.
        stats[int(entry.name)] = text[text.rindex(")") + 2 :].split()
    return stats


def raise_file_limit() -> None:
    """Let this process open as many files, and with them sockets, as it may ask for."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(ValueError, OSError):  # some systems say "unlimited" and mean less
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
