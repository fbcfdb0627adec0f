"""Commands on a broker that is a process of its own, with a client that somebody else wrote."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pika
import pytest
from pika.exceptions import ConnectionClosedByBroker
from tests.conftest import Process

from supersoniq.cli.ctl.running import run as run_ctl
from supersoniq.cli.remote.running import run

Do = Callable[..., str]


@pytest.fixture
def process(serve: Callable[..., Process]) -> Process:
    return serve(env={"SUPERSONIQ_MANAGEMENT": "local"})


@pytest.fixture
def do(process: Process, capsys: pytest.CaptureFixture[str]) -> Do:
    """Run `supersoniq …`, or with `ctl` rabbitmqctl's words; what it prints. It has to end with 0."""

    def call(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        environ = {"SUPERSONIQ_DATA_DIR": process.data_dir}
        ended = run_ctl(words[1:], environ=environ) if words[0] == "ctl" else run(words, environ)
        out, err = capsys.readouterr()
        assert ended == code, err
        return out

    return call


@pytest.fixture
def client(process: Process) -> Iterator[pika.BlockingConnection]:
    """A connection with a queue and a consumer that has no prefetch limit."""
    connection = pika.BlockingConnection(pika.URLParameters(process.url))
    channel = connection.channel()
    channel.queue_declare("orders")
    channel.basic_consume("orders", lambda *arguments: None, consumer_tag="greedy")
    yield connection
    if connection.is_open:
        connection.close()


def test_client_is_listed_and_closed(do: Do, client: pika.BlockingConnection) -> None:
    (connection,) = json.loads(do("connections", "--json"))
    assert connection["user"] == "guest"
    assert "greedy" in do("consumers")
    assert "(1)" in do("channels")
    assert "consumers with acks and no prefetch limit on: orders" in do("doctor")
    do("connections", "close", connection["name"], "--reason", "for a test")
    with pytest.raises(ConnectionClosedByBroker, match="for a test"):
        client.process_data_events(time_limit=30)


def test_client_is_closed_by_its_pid(do: Do, client: pika.BlockingConnection) -> None:
    pid = do("ctl", "-s", "list_connections", "pid").strip()
    do("ctl", "close_connection", pid, "by its pid")
    with pytest.raises(ConnectionClosedByBroker, match="by its pid"):
        client.process_data_events(time_limit=30)


def test_tiny_memory_limit_blocks_who_publishes(do: Do, client: pika.BlockingConnection) -> None:
    blocked, unblocked = threading.Event(), threading.Event()
    client.add_on_connection_blocked_callback(lambda connection, frame: blocked.set())
    client.add_on_connection_unblocked_callback(lambda connection, frame: unblocked.set())
    do("ctl", "set_vm_memory_high_watermark", "0.00000001")
    assert "memory" in do("alarms", code=1)
    do("health", code=1)
    client.channel().basic_publish("", "orders", b"x")
    client.process_data_events(time_limit=1)
    while not blocked.is_set():
        client.process_data_events(time_limit=1)
    do("ctl", "set_vm_memory_high_watermark", "0.4")
    while not unblocked.is_set():
        client.process_data_events(time_limit=1)
    do("health")


def test_what_is_published_is_traced(do: Do, process: Process, environ: dict[str, str]) -> None:
    do("queues", "create", "orders")
    tracing = subprocess.Popen(
        [sys.executable, "-u", "-m", "supersoniq", "trace", "--count", "1", "--data-dir", process.data_dir],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ,
    )  # fmt: skip
    assert tracing.stderr is not None
    assert tracing.stderr.readline() == "tracing virtual host /: Ctrl-C ends it\n"
    do("messages", "publish", "", "orders", "seen")
    out, err = tracing.communicate(timeout=30)
    assert (tracing.returncode, err) == (0, "")
    assert "publish to '' with 'orders'" in out
    assert out.endswith("seen\n")
    assert json.loads(do("vhosts", "show", "/", "--json"))["tracing"] is False
    assert [queue["name"] for queue in json.loads(do("queues", "--json"))] == ["orders"]


def test_log_is_read_and_node_is_stopped(do: Do, process: Process) -> None:
    do("ctl", "set_log_level", "debug")
    assert "log_level is debug now" in do("ctl", "rabbitmq-diagnostics", "log_tail")
    assert do("ctl", "-q", "stop") == ""
    assert process.wait() == 0
    do("status", code=1)
