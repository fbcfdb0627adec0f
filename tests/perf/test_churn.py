"""Churn against a broker, and its options."""

import asyncio

import pytest

from supersoniq.perf.churn import BINDINGS_MAX, OPERATIONS, ChurnOptions, run_churn
from supersoniq.perf.report import Silence


@pytest.mark.parametrize("operation", ["connection", "channel", "queue", "bind"])
def test_operation_is_done_over_and_over(broker_url: str, operation: str) -> None:
    options = ChurnOptions(broker_url, (operation,), duration=0.1, concurrency=2)
    [report] = asyncio.run(run_churn(options, Silence()))
    assert report.operation == operation
    assert report.operations > 0
    assert report.latency is not None


def test_bindings_are_taken_back(broker_url: str) -> None:
    options = ChurnOptions(broker_url, ("unbind",), duration=0.05)
    [report] = asyncio.run(run_churn(options, Silence()))
    assert 0 < report.operations <= BINDINGS_MAX


def test_operations_are_those_of_the_command_s_help() -> None:
    assert list(OPERATIONS) == ["connection", "channel", "queue", "bind", "unbind"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"operations": ("fly",)}, "no operation 'fly'"),
        ({"duration": 0}, "duration is 0"),
        ({"concurrency": 0}, "concurrency is 0"),
        ({"url": "x"}, "no AMQP URI"),
    ],
)
def test_what_cannot_be_run_is_refused(options: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        ChurnOptions(**options)  # type: ignore[arg-type]
