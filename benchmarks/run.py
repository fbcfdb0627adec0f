"""`make bench`: SupersoniQ and RabbitMQ through one matrix, into docs/benchmarks.md.

    python benchmarks/run.py [--quick] [--only PATTERN] [--brokers NAMES] [--long] [--before PYTHON]
                             [--directory DIR] [--json FILE] [--output FILE]

Without --output only a full run of both brokers is written, the others are printed. PATTERN is a part of
rows' keys (`through-16`, `rss`), or several, separated by commas; --list shows the keys. The brokers'
data is below DIR, which must be on a disk. The deepest queue is measured with RabbitMQ only if --long is
given: it takes a quarter of an hour. PYTHON is an interpreter that has an earlier version installed; what
transient messages cost is then compared with it.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from brokers import BROKERS, Before, Beside, Broker, Managed, RabbitMQ, SupersoniQ, Unavailable
from deep import measure_deep
from delayed import measure_delayed
from disk import NO_DISK, file_system
from document import TRAFFIC, TRANSIENT, Failures, Results, document, machine
from earlier import measure_versions
from expiry import measure_expiry
from matrix import (
    CONFIRM,
    CROWD,
    DEEP,
    DELAYED,
    DURABLE,
    EXPIRING,
    EXPIRY,
    FULL,
    LATENESS,
    OPERATING,
    QUICK,
    RULES,
    SIZE,
    Depth,
    Row,
    Scale,
    deep_rows,
    rows,
    through,
)
from measures import Failed, Figures, measure_crowd, measure_load, measure_size
from operating import measure_operating
from rules import measure_rule

from supersoniq.cli.version import core
from supersoniq.client.address import parse_url
from supersoniq.client.connection import connect
from supersoniq.client.errors import ClientError
from supersoniq.perf.usage import raise_file_limit

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "benchmarks.md"
# Not /tmp, which is often memory.
DIRECTORY = Path("/var/tmp")


class Benchmark:
    """One run of the matrix; the results are complete at any time for what was measured so far.

    `versions` are compared in what transient messages cost, `patient` brokers take part in the rows of the
    deepest queue.
    """

    def __init__(
        self, brokers: list[Broker], versions: list[Broker], patient: list[Broker], scale: Scale
    ) -> None:
        self.results: Results = {}
        self.failures: Failures = {}
        self.facts = machine()
        self._brokers = brokers
        self._versions = versions
        self._patient = patient
        self._scale = scale
        self._described: set[str] = set()

    def note(self, key: str, broker: Broker, figures: Figures) -> None:
        """Keep the figures of one run and show them."""
        self.results.setdefault(key, {}).setdefault(broker.name, []).append(figures)
        shown = "  ".join(f"{name} {value:,.2f}" for name, value in figures.items())
        print(f"{key:<34} {broker.name:<11} {shown}", file=sys.stderr, flush=True)

    def failed(self, key: str, broker: Broker, reason: Exception) -> None:
        """Keep why a run has no figures, and show it."""
        self.failures.setdefault(key, {})[broker.name] = str(reason)
        print(f"{key:<34} {broker.name:<11} failed: {reason}", file=sys.stderr, flush=True)

    def run(self, wanted: list[Row]) -> None:
        """Measure everything: what needs fresh brokers first, what leaves them full last."""
        self._run_size({row.key for row in wanted if row.group == SIZE})
        self._run_versions([row for row in wanted if row.group in TRAFFIC])
        self._run_stage([row for row in wanted if row.group in (*TRANSIENT, CROWD)])
        self._run_stage([row for row in wanted if row.group in (DURABLE, CONFIRM)])
        self._run_stage([row for row in wanted if row.group in (RULES, LATENESS)])
        self._run_expiry({row.key for row in wanted if row.group == EXPIRY})
        self._run_delayed({row.key for row in wanted if row.group == DELAYED})
        self._run_operating({row.key for row in wanted if row.group == OPERATING})
        for depth in self._scale.depths:
            self._run_deep(depth, {row.key for row in wanted if row.group == DEEP})

    def _run_size(self, wanted: set[str]) -> None:
        for _ in range(self._scale.runs if wanted else 0):
            for broker in self._brokers:
                try:
                    for key, figures in measure_size(broker, wanted, self._scale).items():
                        self._note_wanted(wanted, broker, key, figures)
                except (Failed, ClientError, ValueError) as failed:
                    for key in wanted:
                        self.failed(key, broker, failed)

    def _run_versions(self, wanted: list[Row]) -> None:
        if wanted and self._versions:
            for broker in self._versions:
                if isinstance(broker, Before):
                    self.facts.append(f"before: {broker.version()}")
            measure_versions(self._versions, wanted, self._scale, self.note, self.failed)

    def _run_stage(self, wanted: list[Row]) -> None:
        if not wanted:
            return
        with started(self._brokers):
            for broker in self._brokers:
                self._describe(broker)
            for row in wanted:
                if row.group == CROWD:
                    self._run_crowd(row)
                else:
                    self._run_load(row)

    def _describe(self, broker: Broker) -> None:
        if broker.name not in self._described:
            self._described.add(broker.name)
            self.facts.append(asyncio.run(self_description(broker)))

    def _run_load(self, row: Row) -> None:
        for _ in range(self._scale.runs):
            for broker in self._brokers:
                try:
                    measure = measure_load if row.command else measure_rule
                    self.note(row.key, broker, measure(broker, row, self._scale))
                except Failed as failed:
                    self.failed(row.key, broker, failed)
                    # It may be gone, or still have what the row left behind.
                    broker.stop()
                    broker.start()

    def _run_crowd(self, row: Row) -> None:
        plain = through("16", "auto", "1x1", "batches")
        for broker in self._brokers:
            try:
                for figures in asyncio.run(measure_crowd(broker, plain, self._scale)):
                    self.note(row.key, broker, figures)
            except (Failed, ClientError) as failed:
                self.failed(row.key, broker, failed)

    def _run_expiry(self, wanted: set[str]) -> None:
        for broker in self._brokers if wanted else []:
            try:
                self.note(EXPIRING, broker, measure_expiry(broker, self._scale.expiring))
            except (Failed, Unavailable, OSError, ValueError) as failed:
                self.failed(EXPIRING, broker, failed)

    def _run_delayed(self, wanted: set[str]) -> None:
        for broker in self._brokers:
            if wanted and not isinstance(broker, RabbitMQ):
                try:
                    measure_delayed(broker, self._scale.delayed, partial(self._note_wanted, wanted, broker))
                except (Failed, Unavailable, OSError, ValueError) as failed:
                    for key in sorted(wanted):
                        self.failed(key, broker, failed)

    def _run_operating(self, wanted: set[str]) -> None:
        for broker in self._brokers if wanted else []:
            if broker.name == SupersoniQ.name:
                managed = Managed(broker.directory.with_name("managed"))
                try:
                    measure_operating(managed, self._scale, partial(self._note_wanted, wanted, managed))
                except (Failed, Unavailable, ClientError, OSError, ValueError) as failed:
                    for key in sorted(wanted):
                        self.failed(key, managed, failed)

    def _run_deep(self, depth: Depth, wanted: set[str]) -> None:
        keys = {row.key for row in deep_rows(depth)} & wanted
        is_deepest = depth is self._scale.depths[-1]
        for broker in self._patient if is_deepest else self._brokers:
            if not keys:
                return
            try:
                measure_deep(broker, depth, keys, partial(self._note_wanted, keys, broker))
            except (Failed, Unavailable, ClientError, OSError, ValueError) as failed:
                for key in sorted(keys):
                    if broker.name not in self.results.get(key, {}):
                        self.failed(key, broker, failed)

    def _note_wanted(self, wanted: set[str], broker: Broker, key: str, figures: Figures) -> None:
        if key in wanted:
            self.note(key, broker, figures)


@contextmanager
def started(brokers: list[Broker]) -> Iterator[None]:
    """All brokers run inside."""
    try:
        for broker in brokers:
            broker.start()
        yield
    finally:
        for broker in brokers:
            broker.stop()


async def self_description(broker: Broker) -> str:
    """Product, version and platform as the broker says them."""
    connection = await connect(parse_url(broker.url))
    told = connection.server_properties
    await connection.close()
    if broker.name == "supersoniq":
        return f"SupersoniQ {package_version()}, core: {core()}"
    return f"{told.get('product')} {told.get('version')}, {told.get('platform')}"


def package_version() -> str:
    """Ours: what the broker tells clients may be a version that they expect."""
    import supersoniq

    return supersoniq.__version__


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks/run.py", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--quick", action="store_true", help="one short run")
    parser.add_argument("--only", default="", metavar="PATTERN", help="only rows whose key has this in it")
    parser.add_argument("--brokers", default="supersoniq,rabbitmq", metavar="NAMES")
    parser.add_argument("--runs", type=int, default=0, help="runs of each row; the median counts")
    parser.add_argument("--long", action="store_true", help="the deepest queue with RabbitMQ, too")
    parser.add_argument("--before", metavar="PYTHON", help="interpreter that has an earlier version")
    parser.add_argument("--directory", type=Path, default=DIRECTORY, metavar="DIR", help="on a disk")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures of all runs")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write the page here, however little was run"
    )
    parser.add_argument("--list", action="store_true", help="show the keys of the rows")
    return parser.parse_args()


def write(benchmark: Benchmark, every_row: list[Row], asked: argparse.Namespace, is_full: bool) -> None:
    """Write or print what was found."""
    command = "make bench" + (f' ARGS="{" ".join(sys.argv[1:])}"' if len(sys.argv) > 1 else "")
    page = document(benchmark.results, benchmark.failures, every_row, benchmark.facts, command)
    output = asked.output or (DOCUMENT if is_full else None)
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(page)
        print(f"written: {output}", file=sys.stderr)
    else:
        print(page)
    if asked.json:
        found = {
            "facts": benchmark.facts,
            "results": benchmark.results,
            "failures": benchmark.failures,
        }
        asked.json.write_text(json.dumps(found, indent=1))


def benchmark_in(directory: Path, asked: argparse.Namespace, scale: Scale) -> Benchmark:
    """The benchmark of what was asked for, its brokers' data below `directory`."""
    brokers = [BROKERS[name](directory / name) for name in asked.brokers.split(",")]
    versions: list[Broker] = []
    if asked.before:
        versions = [Before(directory / "before", asked.before), Beside(directory / "beside")]
    is_patient = asked.long or asked.quick
    patient = [broker for broker in brokers if is_patient or not isinstance(broker, RabbitMQ)]
    return Benchmark(brokers, versions, patient, scale)


def main() -> int:
    """Run; 1 if a broker cannot be had, 130 after Ctrl-C, and nothing is left running either way."""
    asked = arguments()
    scale = QUICK if asked.quick else FULL
    if asked.runs:
        scale = replace(scale, runs=asked.runs)
    every_row = rows(scale)
    patterns = asked.only.split(",")
    wanted = [row for row in every_row if any(pattern in row.key for pattern in patterns)]
    names = asked.brokers.split(",")
    if asked.list:
        print("\n".join(f"{row.key:<34} {row.title}" for row in every_row))
        return 0
    if not wanted or any(name not in BROKERS for name in names):
        print(f"nothing to run: brokers are {', '.join(BROKERS)}; --list shows the rows", file=sys.stderr)
        return 2
    kind = file_system(asked.directory)
    if kind in NO_DISK:
        print(f"{asked.directory} is in memory ({kind}): name a --directory on a disk", file=sys.stderr)
        return 2
    raise_file_limit()
    directory = Path(tempfile.mkdtemp(prefix="supersoniq-benchmark-", dir=asked.directory))
    benchmark = benchmark_in(directory, asked, scale)
    benchmark.facts.append(f"data on {kind or 'a disk'}")
    is_full = not asked.quick and not asked.only and set(names) == set(BROKERS)
    status = 0
    try:
        benchmark.run(wanted)
    except Unavailable as reason:
        print(reason, file=sys.stderr)
        is_full, status = False, 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    if benchmark.results or benchmark.failures:
        write(benchmark, every_row, asked, is_full)
    return status


if __name__ == "__main__":
    sys.exit(main())
