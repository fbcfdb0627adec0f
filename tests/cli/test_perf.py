"""`supersoniq perf` as a command."""

import json
import subprocess
from collections.abc import Callable

import pytest

from supersoniq.cli.perf import DEFAULT_URL
from supersoniq.client import address

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_throughput_prints_figures(supersoniq: Run, broker_url: str) -> None:
    done = supersoniq("perf", "throughput", "--url", broker_url, "--count", "100")
    assert done.returncode == 0, done.stderr
    assert "msg/s" in done.stdout
    assert not done.stderr


def test_throughput_takes_priorities(supersoniq: Run, broker_url: str) -> None:
    arguments = ["--count", "100", "--warmup", "0", "--priorities", "10", "--json"]
    done = supersoniq("perf", "throughput", "--url", broker_url, *arguments)
    assert json.loads(done.stdout)["delivered"] == 100


def test_latency_prints_json_on_request(supersoniq: Run, broker_url: str) -> None:
    done = supersoniq("perf", "latency", "--url", broker_url, "--count", "20", "--json")
    told = json.loads(done.stdout)
    assert told["mode"] == "latency"
    assert told["latency"]["p50"] > 0


def test_latency_until_the_confirm_needs_no_consumer(supersoniq: Run, broker_url: str) -> None:
    arguments = ["--until-confirm", "--confirm-window", "1", "--consumers", "0", "--duration", "0.1"]
    done = supersoniq("perf", "latency", "--url", broker_url, "--warmup", "0", *arguments, "--json")
    assert json.loads(done.stdout)["latency"]["p50"] > 0


def test_churn_prints_each_operation(supersoniq: Run, broker_url: str) -> None:
    arguments = ["--operation", "channel", "--operation", "bind", "--duration", "0.05", "--json"]
    done = supersoniq("perf", "churn", "--url", broker_url, *arguments)
    assert [report["operation"] for report in json.loads(done.stdout)] == ["channel", "bind"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["throughput", "--consumers", "0"], "without consumers there must be a count"),
        (["latency", "--size", "4"], "8 or more"),
        (["latency", "--until-confirm"], "needs a confirm-window"),
        (["churn", "--operation", "fly"], "no operation 'fly'"),
    ],
)
def test_what_cannot_be_run_is_one_line_and_exit_code_2(
    supersoniq: Run, arguments: list[str], text: str
) -> None:
    done = supersoniq("perf", *arguments)
    assert done.returncode == 2
    assert text in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_no_broker_is_one_line_and_exit_code_1(supersoniq: Run, free_port: int) -> None:
    done = supersoniq("perf", "throughput", "--url", f"amqp://127.0.0.1:{free_port}")
    assert done.returncode == 1
    assert done.stderr == f"supersoniq: cannot connect to 127.0.0.1:{free_port}: Connection refused\n"


def test_default_is_the_client_s() -> None:
    assert DEFAULT_URL == address.DEFAULT_URL
