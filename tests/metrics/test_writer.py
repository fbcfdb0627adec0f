"""The writer's lines are what the parsers of prometheus_client read."""

import pytest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector
from tests.metrics.reading import OPEN_METRICS, Read

from supersoniq.metrics.families import COUNTER, GAUGE, OWN, Family
from supersoniq.metrics.rows import labels_of
from supersoniq.metrics.writer import PIECE_LINES, Writer

TABLE = (
    Family("queue_messages", GAUGE, "How many"),
    Family("queue_gets", COUNTER, "How often, with a \\ and\na line"),
    Family("age_seconds", GAUGE, "How old", OWN),
)


class OneCounter(Collector):
    def collect(self) -> list[CounterMetricFamily]:
        return [CounterMetricFamily("things", "Things", value=3)]


@pytest.mark.parametrize("accept", ["", "text/plain", OPEN_METRICS, "text/plain; version=1.0.0"])
def test_every_format_can_be_read(accept: str) -> None:
    writer = Writer(accept)
    rows = [
        (labels_of(queue=f'q"{number}\\'), [number, number * 2, 0.5]) for number in range(PIECE_LINES + 1)
    ]
    pieces = [*writer.families("rabbitmq_detailed_", TABLE, rows), writer.metrics(OneCounter()), writer.end()]
    found = Read(b"".join(pieces).decode(), writer.is_open_metrics)
    assert found.value("rabbitmq_detailed_queue_messages", queue='q"7\\') == 7
    assert found.value("rabbitmq_detailed_queue_gets_total", queue=f'q"{PIECE_LINES}\\') == 2 * PIECE_LINES
    assert found.value("supersoniq_age_seconds", queue='q"0\\') == 0.5
    assert found.value("things_total") == 3
    assert len(found.samples) == 3 * (PIECE_LINES + 1) + 1
    assert set(found.types.values()) == {"gauge", "counter"}


def test_format_is_named() -> None:
    assert Writer("").content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert Writer(OPEN_METRICS).content_type.startswith(OPEN_METRICS)
    assert Writer(OPEN_METRICS).end() == b"# EOF\n"


def test_no_objects_are_no_families() -> None:
    assert list(Writer("").families("rabbitmq_", TABLE, [])) == []


def test_pieces_are_short() -> None:
    rows = [(labels_of(queue=f"q{number}"), [1, 2, 3]) for number in range(10 * PIECE_LINES)]
    pieces = list(Writer("").families("rabbitmq_", TABLE, rows))
    assert max(piece.count(b"\n") for piece in pieces) <= PIECE_LINES
