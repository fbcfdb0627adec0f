"""What happens to clients when the broker's process is killed, stopped or runs out of memory."""

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pika
import pytest
from pika.exceptions import AMQPError, ConnectionClosedByBroker
from tests.conftest import Process

Serve = Callable[..., Process]


def opened(process: Process) -> pika.BlockingConnection:
    return pika.BlockingConnection(pika.URLParameters(process.url))


@pytest.mark.rule("connection.close", "shutdown")
def test_stop_closes_clients_with_320(serve: Serve) -> None:
    process = serve()
    connection = opened(process)
    process.send_signal(signal.SIGTERM)
    with pytest.raises(ConnectionClosedByBroker) as caught:
        connection.sleep(10)
    assert caught.value.reply_code == 320
    assert "broker forced connection closure with reason 'shutdown'" in caught.value.reply_text
    assert process.wait() == 0


def test_killed_broker_starts_again_on_its_directory_and_port(serve: Serve) -> None:
    """The lock of a process that was killed does not outlive it, and clients come back."""
    process = serve()
    port = process.port
    directory = process.data_dir
    publisher = opened(process)
    channel = publisher.channel()
    channel.queue_declare("q")
    flood = threading.Thread(target=_publish_until_it_fails, args=(channel,))
    flood.start()
    process.send_signal(signal.SIGKILL)
    process.wait()
    flood.join(10)
    assert not flood.is_alive()
    again = serve("--port", str(port), "--data-dir", directory)
    connection = opened(again)
    channel = connection.channel()
    channel.queue_declare("q")
    channel.basic_publish("", "q", b"after")
    assert channel.basic_get("q", auto_ack=True)[2] == b"after"
    connection.close()


def _publish_until_it_fails(channel: Any) -> None:
    deadline = time.monotonic() + 10
    with contextlib.suppress(AMQPError, OSError):
        while time.monotonic() < deadline:
            channel.basic_publish("", "q", b"x" * 100)
            channel.connection.process_data_events(0)


def test_second_broker_on_the_directory_is_refused_while_the_first_runs(serve: Serve) -> None:
    first = serve()
    second = serve("--data-dir", first.data_dir, wait=False)
    assert second.wait() == 1
    assert "is in use by process" in second.log


@pytest.mark.rule("connection.blocked", "memory")
def test_memory_alarm_blocks_publishers_until_consumers_have_made_room(serve: Serve) -> None:
    """Only what somebody holds unacked fills the memory: of a backlog the tail goes to the disk."""
    process = serve(env={"SUPERSONIQ_MEMORY_LIMIT": "90MiB"})
    consumer = opened(process)
    holding = consumer.channel()
    holding.queue_declare("q")
    held: list[int] = []
    holding.basic_consume("q", lambda _, method, *content: held.append(method.delivery_tag))
    # In a thread of its own: pika waits in a publish, and tells nothing, while its sockets are full.
    publisher = Flood(process.url, bytes(40_960))
    publisher.start()
    deadline = time.monotonic() + 30
    while "memory alarm:" not in process.log:
        assert time.monotonic() < deadline, "nobody was blocked"
        consumer.process_data_events(0.01)
    # Two more, or it is not read any more and cannot: either way it has published during the alarm.
    published, deadline = publisher.published, time.monotonic() + 1
    while publisher.published < published + 2 and time.monotonic() < deadline:
        consumer.process_data_events(0.01)
    publisher.is_over.set()

    # What was under way when the socket stopped being read arrives once it is read again.
    acked = 0
    deadline = time.monotonic() + 30
    while publisher.is_alive() or len(held) < publisher.published:
        assert time.monotonic() < deadline, f"{publisher.published - len(held)} messages did not come"
        consumer.process_data_events(0.05)
        if len(held) > acked:
            acked = len(held)
            holding.basic_ack(held[-1], multiple=True)
    assert publisher.told[:2] == ["low on memory", "unblocked"]
    process.wait_for("memory alarm cleared")
    consumer.close()


class Flood(threading.Thread):
    """Publishes to the queue `q` until `is_over` is set, then waits until it is told that nothing blocks it.

    `told` is what it heard of alarms.
    """

    def __init__(self, url: str, body: bytes) -> None:
        super().__init__(daemon=True)
        self.told: list[str] = []
        self.published = 0
        self.is_over = threading.Event()
        self._url = url
        self._body = body

    def run(self) -> None:
        connection = pika.BlockingConnection(pika.URLParameters(self._url))
        connection.add_on_connection_blocked_callback(lambda _, frame: self.told.append(frame.method.reason))
        connection.add_on_connection_unblocked_callback(lambda _, frame: self.told.append("unblocked"))
        channel = connection.channel()
        while not self.is_over.is_set():
            channel.basic_publish("", "q", self._body)
            self.published += 1
        while len(self.told) < 2:
            connection.process_data_events(0.1)
        connection.close()


VICTIM = """
import sys, time, pika
connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
channel = connection.channel()
for _ in range(5):
    channel.basic_get("q")
print("holds five", flush=True)
time.sleep(60)
"""


@pytest.mark.rule("basic.recover", "connection-lost")
def test_client_that_is_killed_leaves_its_messages_to_others(serve: Serve) -> None:
    process = serve()
    connection = opened(process)
    channel = connection.channel()
    channel.queue_declare("q")
    for number in range(10):
        channel.basic_publish("", "q", b"%d" % number)
    with subprocess.Popen([sys.executable, "-c", VICTIM, process.url], stdout=subprocess.PIPE) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == b"holds five\n"
        victim.kill()
    process.wait_for("lost without a close")
    fetched = [channel.basic_get("q", auto_ack=True) for _ in range(10)]
    assert [body for _, _, body in fetched] == [b"%d" % number for number in range(10)]
    assert [method.redelivered for method, _, _ in fetched] == [True] * 5 + [False] * 5
    connection.close()
