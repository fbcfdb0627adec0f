"""The results as Markdown."""

import os
import platform
import sys
from pathlib import Path
from statistics import median

from matrix import (
    CHURN,
    CONFIRM,
    CROWD,
    DEEP,
    DELAYED,
    DURABLE,
    EXPIRY,
    LATENCY,
    LATENESS,
    ONE_SIDED,
    OPERATING,
    RULES,
    SIZE,
    THROUGH,
    Bar,
    Row,
    bars,
)

# key → broker → the figures of each run
Results = dict[str, dict[str, list[dict[str, float]]]]
# key → broker → why a run has no figures
Failures = dict[str, dict[str, str]]

SUPERSONIQ = "supersoniq"
RABBITMQ = "rabbitmq"
BEFORE = "before"
BESIDE = "beside"  # this version, where it takes turns with the one before
NAMES = {
    SUPERSONIQ: "SupersoniQ",
    RABBITMQ: "RabbitMQ",
    BEFORE: "SupersoniQ before",
    BESIDE: "SupersoniQ beside it",
}

# For each group: figure, what it is called, and whether more is better, None if that is no question.
COLUMNS: dict[str, list[tuple[str, str, bool | None]]] = {
    THROUGH: [("cpu_us", "CPU µs/msg", False), ("rate", "msg/s", True)],
    ONE_SIDED: [("cpu_us", "CPU µs/msg", False), ("rate", "msg/s", True)],
    LATENCY: [("p50_us", "median µs", False), ("p99_us", "99 % µs", False), ("cpu_us", "CPU µs/msg", False)],
    CHURN: [("cpu_us", "CPU µs/op", False), ("rate", "op/s", True), ("p50_us", "median µs", False)],
    CROWD: [("cpu_us", "CPU µs/msg", False), ("ratio", "times 1×1", False)],
    DURABLE: [("cpu_us", "CPU µs/msg", False), ("rate", "msg/s", True)],
    CONFIRM: [
        ("p50_us", "median µs", False),
        ("p99_us", "99 % µs", False),
        ("cpu_us", "CPU µs/msg", False),
        ("times_bare", "median, times bare", None),
    ],
    RULES: [("cpu_us", "CPU µs/msg", False), ("rate", "msg/s", True)],
    LATENESS: [("late_ms", "median ms", False), ("late_p99_ms", "99 % ms", False)],
    EXPIRY: [
        ("stall_ms", "worst round trip ms", False),
        ("cpu_us", "CPU µs/msg", False),
        ("rate", "msg/s", True),
    ],
}
UNITS = {
    "cpu_us": "µs",
    "p50_us": "µs",
    "p99_us": "µs",
    "s": "s",
    "mb": "MB",
    "ratio": "×",
    "times_bare": "×",
    "rate": "msg/s",
    "late_ms": "ms",
    "stall_ms": "ms",
    "ms": "ms",
}
# Of these rows an earlier version is compared with.
SLOWER_PERCENT_MAX = 3
TRAFFIC = (THROUGH, ONE_SIDED, LATENCY)
TRANSIENT = (*TRAFFIC, CHURN)

EXPLANATION = [
    "*CPU* is the user and system time of the broker's processes in the measured window, per message",
    "delivered (published, where nobody consumes). It is the robust figure: the load generator shares the",
    "machine, so rates depend on what it leaves to the broker. At most 10,000 messages, or 16 MiB, are under",
    "way at once: deep queues cost RabbitMQ more. RabbitMQ runs with its defaults and without plugins. Where",
    "one thing is done at a time, the generator polls without sleeping, so that its core is not slow to wake",
    "up. × is how many times better SupersoniQ is.",
]

NOTES = {
    DURABLE: [
        "Classic queues; the consumers ack each message, prefetch 200. Publishers write when a tenth of",
        "their window is free; those of 100 queues when all of it is, with 10 consumers of 10 queues each.",
    ],
    CONFIRM: [
        "Nobody consumes. *Bare* is one write of 160 B and its fdatasync on the same disk, in a loop,",
        "before and after: the ordinary one appends to a file that grows; the other file is preallocated.",
        "A run is the middle of five such turns, as the disk changes from second to second.",
    ],
    RULES: [
        "All auto-ack. Priorities are 0 to 9 in turn. Each of the 100 queues has a connection that consumes.",
        "The binding keys of the topic exchange are `stock.n.*`, `*.n.#`, `stock.*.*.n` and `#.n` for 2,500",
        "names n, to 100 queues. No routing key comes twice; one in five matches nothing, the others go to 1",
        "to 3 queues.",
    ],
    LATENESS: [
        "Until a consumer of the queue behind the dead letter exchange has it. Those in the middle live for",
        "0.2 s to 0.4 s, and each has a message of 5 s before it. RabbitMQ looks at the head only.",
    ],
    EXPIRY: [
        "One run. All go to a queue by a dead letter exchange and are found there, each once. The round trip",
        "is that of a passive declare on another connection, every 2 ms meanwhile.",
    ],
    DELAYED: [
        "One run. Persistent messages, delayed by 1 to 24 hours at random, all confirmed. RabbitMQ has no",
        "delayed messages without a plugin.",
    ],
    OPERATING: [
        "With the listeners of HTTP, which the other rows do without, as RabbitMQ does without plugins.",
        "Pages are read five times a second while latency is measured, at 2,000 messages a second. The",
        "command is a process of its own, from its start to its end.",
    ],
    DEEP: [
        "One run. All messages are confirmed before the broker is killed; the files stay in the system's",
        "cache. The time is from the start of the process to the first delivery to a client that tries every",
        "5 ms, and counts only if no message is missing. Memory is what is held a second after the last",
        "message came. RabbitMQ takes the deepest queue with `--long` only.",
    ],
}


def middle(results: Results, key: str, broker: str, figure: str) -> float | None:
    """The median over the runs; None if there is none."""
    runs = [run[figure] for run in results.get(key, {}).get(broker, []) if figure in run]
    return median(runs) if runs else None


def number(value: float | None) -> str:
    """Three digits that count, thousands with commas."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def ratio(ours: float | None, theirs: float | None, more_is_better: bool) -> str:
    """How many times better ours is."""
    if not ours or not theirs:
        return "–"
    return f"{number(ours / theirs if more_is_better else theirs / ours)}×"


def document(results: Results, failures: Failures, rows: list[Row], facts: list[str], command: str) -> str:
    """The whole page."""
    runs = runs_of(results, {SUPERSONIQ, RABBITMQ})
    lines = [
        "# Benchmarks",
        "",
        f"Written by `{command}`: medians of {runs} run(s), the brokers taking turns.",
        "",
        *EXPLANATION,
        "",
        *[f"- {fact}" for fact in facts],
        "",
        "## Bars",
        "",
        "| what | SupersoniQ | RabbitMQ | bar | |",
        "|---|--:|--:|---|---|",
        *[
            bar_line(results, failures, bar)
            for bar in bars(rows)
            if bar.key in results or bar.key in failures
        ],
    ]
    lines += failure_list(failures)
    for group, columns in COLUMNS.items():
        lines += table(results, [row for row in rows if row.group == group], group, columns)
    lines += bare_lines(results, [row for row in rows if row.group == CONFIRM])
    for group in (DELAYED, DEEP, SIZE, OPERATING):
        lines += size_table(results, [row for row in rows if row.group == group], group)
    lines += before_table(results, [row for row in rows if row.group in TRAFFIC])
    return "\n".join(lines) + "\n"


def bar_line(results: Results, failures: Failures, bar: Bar) -> str:
    """One bar: the figures, what was asked, and whether it is met."""
    ours = middle(results, bar.key, SUPERSONIQ, bar.figure)
    theirs = middle(results, bar.key, RABBITMQ, bar.figure)
    unit = UNITS[bar.figure]
    asked = []
    is_met = ours is not None
    if bar.ceiling is not None:
        asked.append(f"≤ {bar.ceiling:g} {unit}")
        is_met = is_met and ours is not None and ours <= bar.ceiling
    if bar.factor is not None:
        share = "RabbitMQ's" if bar.factor == 1 else f"1/{1 / bar.factor:.0f} of RabbitMQ's"
        limit = None if theirs is None else theirs * bar.factor
        asked.append(f"≤ {share}" + ("" if limit is None else f" ({number(limit)} {unit})"))
        is_met = is_met and ours is not None and limit is not None and ours <= limit
    if bar.times is not None:
        limit = None if theirs is None else theirs * bar.times
        asked.append(f"≥ {bar.times:g}× RabbitMQ's" + ("" if limit is None else f" ({number(limit)} {unit})"))
        is_met = is_met and ours is not None and limit is not None and ours >= limit
    if bar.beside:
        beside = middle(results, bar.beside, SUPERSONIQ, bar.figure)
        limit = None if beside is None else 2 * beside
        asked.append("≤ 2× without" + ("" if limit is None else f" ({number(limit)} {unit})"))
        is_met = is_met and ours is not None and limit is not None and ours <= limit
    is_relative = bar.factor is not None or bar.times is not None
    is_measured = ours is not None and (theirs is not None or not is_relative)
    if bar.beside and bar.beside not in results:
        is_measured = False
    verdict = "not measured" if not is_measured else "met" if is_met else "**missed**"
    if SUPERSONIQ in failures.get(bar.key, {}):
        verdict = "**failed**"
    return (
        f"| {bar.title} | {number(ours)} {unit} | {number(theirs)} {unit} | {', '.join(asked)} | {verdict} |"
    )


def failure_list(failures: Failures) -> list[str]:
    """What has no figures, or not of every run, and why."""
    if not failures:
        return []
    return [
        "",
        "## Failed",
        "",
        *[
            f"- {key}, {NAMES[broker]}: {reason}"
            for key, brokers in failures.items()
            for broker, reason in brokers.items()
        ],
    ]


def table(
    results: Results, rows: list[Row], group: str, columns: list[tuple[str, str, bool | None]]
) -> list[str]:
    """One group's rows, each figure for both brokers, then the ratios."""
    rows = [row for row in rows if row.key in results]
    if not rows:
        return []
    titles = [f"{title} {broker}" for _, title, _ in columns for broker in ("SupersoniQ", "RabbitMQ")]
    titles += [
        f"{title.rpartition(' ')[0] or title} ×" for _, title, is_better in columns if is_better is not None
    ]
    lines = [*heading(group), "", "| | " + " | ".join(titles) + " |", "|---" + "|--:" * len(titles) + "|"]
    for row in rows:
        cells = []
        ratios = []
        for figure, _, more_is_better in columns:
            ours = middle(results, row.key, SUPERSONIQ, figure)
            theirs = middle(results, row.key, RABBITMQ, figure)
            cells += [number(ours), number(theirs)]
            if more_is_better is not None:
                ratios.append(ratio(ours, theirs, more_is_better))
        lines.append(f"| {row.title} | " + " | ".join(cells + ratios) + " |")
    return lines


def bare_lines(results: Results, rows: list[Row]) -> list[str]:
    """What the disk took while SupersoniQ took its turns."""
    figures = ("bare_us", "bare_p99_us", "bare_preallocated_us")
    found = [middle(results, row.key, SUPERSONIQ, figure) for row in rows for figure in figures]
    if not found or None in found:
        return []
    growing, growing_p99, preallocated = map(number, found)
    return [
        "",
        f"Bare: median {growing} µs, 99 % {growing_p99} µs; median {preallocated} µs where preallocated.",
    ]


def heading(group: str) -> list[str]:
    """A group's title, and what is to be known about its rows."""
    notes = NOTES.get(group)
    return ["", f"## {group}", *(["", *notes] if notes else [])]


def size_table(results: Results, rows: list[Row], group: str) -> list[str]:
    """Times and memory: one figure a row."""
    rows = [row for row in rows if row.key in results]
    if not rows:
        return []
    lines = [*heading(group), "", "| | SupersoniQ | RabbitMQ | × |", "|---|--:|--:|--:|"]
    for row in rows:
        ours = middle(results, row.key, SUPERSONIQ, row.figure)
        theirs = middle(results, row.key, RABBITMQ, row.figure)
        lines.append(f"| {row.title} | {number(ours)} | {number(theirs)} | {ratio(ours, theirs, False)} |")
    return lines


def runs_of(results: Results, names: set[str]) -> int:
    """How often the row was run that was run most often with one of these brokers."""
    counts = [len(runs) for row in results.values() for name, runs in row.items() if name in names]
    return max(counts, default=0)


def before_table(results: Results, rows: list[Row]) -> list[str]:
    """Each row of transient messages beside an earlier version's, whose runs took turns with ours."""
    lines = []
    changes = []
    for row in rows:
        ours = middle(results, row.key, BESIDE, "cpu_us")
        before = middle(results, row.key, BEFORE, "cpu_us")
        if ours and before:
            changes.append((ours / before - 1) * 100)
            lines.append(f"| {row.title} | {number(before)} | {number(ours)} | {changes[-1]:+.1f} % |")
    if not changes:
        return []
    change = median(changes)
    verdict = "met" if change <= SLOWER_PERCENT_MAX else "**missed**"
    return [
        "",
        "## Against an earlier version",
        "",
        f"CPU µs per message, medians of {runs_of(results, {BEFORE, BESIDE})} run(s). Each run has a new",
        "process, the broker has one core and the load generator the other, and the versions take turns,",
        "first one and then the other ahead. Where nobody consumes, what the earlier version kept in memory",
        "may be paged out now.",
        "",
        f"Half of the rows changed by less than {change:+.1f} %;",
        f"the bar is {SLOWER_PERCENT_MAX:+} %: {verdict}.",
        "",
        "| | before | now | |",
        "|---|--:|--:|--:|",
        *lines,
    ]


def of_the_system() -> str:
    """Say so if Python is the one of the operating system's packages."""
    return ", of the system's packages" if sys.base_prefix == "/usr" else ""


def machine() -> list[str]:
    """What the figures depend on, and nothing that tells one machine from another of its kind."""
    cpu = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    kernel = ".".join(platform.release().split("-")[0].split(".")[:2])
    return [
        f"{os.cpu_count()} cores, {cpu}, {gib:.0f} GiB, {platform.system()} {kernel}",
        f"{platform.python_implementation()} {platform.python_version()}{of_the_system()}",
    ]
