"""The results as Markdown."""

import os
import platform
from pathlib import Path
from statistics import median

from matrix import BARS, CHURN, CROWD, LATENCY, ONE_SIDED, SIZE, THROUGH, Bar, Row

# key → broker → the figures of each run
Results = dict[str, dict[str, list[dict[str, float]]]]

SUPERSONIQ = "supersoniq"
RABBITMQ = "rabbitmq"

# For each group: figure, what it is called, and whether more is better.
COLUMNS = {
    THROUGH: [("cpu_us", "CPU µs/msg", False), ("rate", "msg/s", True)],
    ONE_SIDED: [("cpu_us", "CPU µs/msg", False), ("rate", "msg/s", True)],
    LATENCY: [("p50_us", "median µs", False), ("p99_us", "99 % µs", False), ("cpu_us", "CPU µs/msg", False)],
    CHURN: [("cpu_us", "CPU µs/op", False), ("rate", "op/s", True), ("p50_us", "median µs", False)],
    CROWD: [("cpu_us", "CPU µs/msg", False), ("ratio", "times 1×1", False)],
}
UNITS = {"cpu_us": "µs", "p50_us": "µs", "p99_us": "µs", "s": "s", "mb": "MB", "ratio": "×"}


EXPLANATION = [
    "*CPU* is the user and system time of the broker's processes in the measured window, per message",
    "delivered (published, where nobody consumes). It is the robust figure: the load generator shares the",
    "machine, so rates depend on what it leaves to the broker. At most 10,000 messages, or 16 MiB, are under",
    "way at once: deep queues cost RabbitMQ more. RabbitMQ runs with its defaults and without plugins. Where",
    "one thing is done at a time, the generator polls without sleeping, so that its core is not slow to wake",
    "up. × is how many times better SupersoniQ is.",
]


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


def document(results: Results, rows: list[Row], facts: list[str], command: str) -> str:
    """The whole page."""
    runs = max([len(figures) for brokers in results.values() for figures in brokers.values()], default=0)
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
        *[bar_line(results, bar) for bar in BARS if bar.key in results],
    ]
    for group, columns in COLUMNS.items():
        lines += table(results, [row for row in rows if row.group == group], group, columns)
    lines += size_table(results, [row for row in rows if row.group == SIZE])
    return "\n".join(lines) + "\n"


def bar_line(results: Results, bar: Bar) -> str:
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
    verdict = "not measured" if ours is None else "met" if is_met else "**missed**"
    return (
        f"| {bar.title} | {number(ours)} {unit} | {number(theirs)} {unit} | {', '.join(asked)} | {verdict} |"
    )


def table(results: Results, rows: list[Row], group: str, columns: list[tuple[str, str, bool]]) -> list[str]:
    """One group's rows, each figure for both brokers, then the ratios."""
    rows = [row for row in rows if row.key in results]
    if not rows:
        return []
    titles = [f"{title} {broker}" for _, title, _ in columns for broker in ("SupersoniQ", "RabbitMQ")]
    titles += [f"{title.rpartition(' ')[0] or title} ×" for _, title, _ in columns]
    lines = ["", f"## {group}", "", "| | " + " | ".join(titles) + " |", "|---" + "|--:" * len(titles) + "|"]
    for row in rows:
        cells = []
        ratios = []
        for figure, _, more_is_better in columns:
            ours = middle(results, row.key, SUPERSONIQ, figure)
            theirs = middle(results, row.key, RABBITMQ, figure)
            cells += [number(ours), number(theirs)]
            ratios.append(ratio(ours, theirs, more_is_better))
        lines.append(f"| {row.title} | " + " | ".join(cells + ratios) + " |")
    return lines


def size_table(results: Results, rows: list[Row]) -> list[str]:
    """Start and memory: one figure a row."""
    rows = [row for row in rows if row.key in results]
    if not rows:
        return []
    lines = ["", f"## {SIZE}", "", "| | SupersoniQ | RabbitMQ | × |", "|---|--:|--:|--:|"]
    for row in rows:
        figure = "s" if row.key == "start" else "mb"
        ours = middle(results, row.key, SUPERSONIQ, figure)
        theirs = middle(results, row.key, RABBITMQ, figure)
        lines.append(f"| {row.title} | {number(ours)} | {number(theirs)} | {ratio(ours, theirs, False)} |")
    return lines


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
        f"{platform.python_implementation()} {platform.python_version()}",
    ]
