"""`make bench`: SupersoniQ and RabbitMQ through one matrix, into docs/benchmarks.md.

    python benchmarks/run.py [--quick] [--only PATTERN] [--brokers NAMES] [--json FILE] [--output FILE]

Without --output only a full run of both brokers is written, the others are printed. PATTERN is a part of
rows' keys (`through-16`, `rss`), or several, separated by commas; --list shows the keys.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from brokers import BROKERS, Broker, Unavailable
from document import Results, document, machine
from matrix import CROWD, SIZE, Row, rows, through
from measures import FULL, QUICK, Failed, Figures, Scale, measure_crowd, measure_size, run_perf

from supersoniq.cli.version import core
from supersoniq.client.address import parse_url
from supersoniq.client.connection import connect
from supersoniq.client.errors import ClientError
from supersoniq.perf.usage import raise_file_limit

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "benchmarks.md"


class Benchmark:
    """One run of the matrix; the results are complete at any time for what was measured so far."""

    def __init__(self, brokers: list[Broker], wanted: list[Row], scale: Scale) -> None:
        self.results: Results = {}
        self.facts = machine()
        self._brokers = brokers
        self._wanted = wanted
        self._scale = scale

    def note(self, key: str, broker: Broker, figures: Figures) -> None:
        """Keep the figures of one run and show them."""
        self.results.setdefault(key, {}).setdefault(broker.name, []).append(figures)
        shown = "  ".join(f"{name} {value:,.2f}" for name, value in figures.items())
        print(f"{key:<34} {broker.name:<11} {shown}", file=sys.stderr, flush=True)

    def run(self) -> None:
        """Measure everything: what needs fresh brokers first, what leaves them full last."""
        size = {row.key for row in self._wanted if row.group == SIZE}
        if size:
            self._run_size(size)
        loads = [row for row in self._wanted if row.command]
        crowd = [row for row in self._wanted if row.group == CROWD]
        if not loads and not crowd:
            return
        with started(self._brokers):
            self.facts += [asyncio.run(self_description(broker)) for broker in self._brokers]
            for row in loads:
                self._run_load(row)
            for row in crowd:
                self._run_crowd(row)

    def _run_size(self, wanted: set[str]) -> None:
        for _ in range(self._scale.runs):
            for broker in self._brokers:
                for key, figures in measure_size(broker, wanted, self._scale).items():
                    if key in wanted:
                        self.note(key, broker, figures)

    def _run_load(self, row: Row) -> None:
        for _ in range(self._scale.runs):
            for broker in self._brokers:
                try:
                    self.note(row.key, broker, run_perf(broker, row.command, self._scale))
                except Failed as failed:
                    print(f"{row.key:<34} {broker.name:<11} failed: {failed}", file=sys.stderr, flush=True)

    def _run_crowd(self, row: Row) -> None:
        plain = through("16", "auto", "1x1", "batches")
        for broker in self._brokers:
            try:
                for figures in asyncio.run(measure_crowd(broker, plain, self._scale)):
                    self.note(row.key, broker, figures)
            except (Failed, ClientError) as failed:
                print(f"{row.key:<34} {broker.name:<11} failed: {failed}", file=sys.stderr, flush=True)


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
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures of all runs")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write the page here, however little was run"
    )
    parser.add_argument("--list", action="store_true", help="show the keys of the rows")
    return parser.parse_args()


def write(benchmark: Benchmark, every_row: list[Row], asked: argparse.Namespace, is_full: bool) -> None:
    """Write or print what was found."""
    command = "make bench" + (f' ARGS="{" ".join(sys.argv[1:])}"' if len(sys.argv) > 1 else "")
    page = document(benchmark.results, every_row, benchmark.facts, command)
    output = asked.output or (DOCUMENT if is_full else None)
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(page)
        print(f"written: {output}", file=sys.stderr)
    else:
        print(page)
    if asked.json:
        asked.json.write_text(json.dumps({"facts": benchmark.facts, "results": benchmark.results}, indent=1))


def main() -> int:
    """Run; 1 if a broker cannot be had, 130 after Ctrl-C, and nothing is left running either way."""
    asked = arguments()
    scale = QUICK if asked.quick else FULL
    if asked.runs:
        scale = Scale(asked.runs, *list(vars(scale).values())[1:])
    every_row = rows(scale.queued, scale.crowd_queues)
    patterns = asked.only.split(",")
    wanted = [row for row in every_row if any(pattern in row.key for pattern in patterns)]
    names = asked.brokers.split(",")
    if asked.list:
        print("\n".join(f"{row.key:<34} {row.title}" for row in every_row))
        return 0
    if not wanted or any(name not in BROKERS for name in names):
        print(f"nothing to run: brokers are {', '.join(BROKERS)}; --list shows the rows", file=sys.stderr)
        return 2
    raise_file_limit()
    directory = Path(tempfile.mkdtemp(prefix="supersoniq-benchmark-"))
    benchmark = Benchmark([BROKERS[name](directory / name) for name in names], wanted, scale)
    try:
        benchmark.run()
    except Unavailable as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    is_full = not asked.quick and not asked.only and set(names) == set(BROKERS)
    write(benchmark, every_row, asked, is_full)
    return 0


if __name__ == "__main__":
    sys.exit(main())
