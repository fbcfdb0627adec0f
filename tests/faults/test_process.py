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
    publisher, consumer = opened(process), opened(process)
    told: list[str] = []
    publisher.add_on_connection_blocked_callback(lambda _, frame: told.append(frame.method.reason))
    publisher.add_on_connection_unblocked_callback(lambda _, frame: told.append("unblocked"))
    channel, holding = publisher.channel(), consumer.channel()
    channel.queue_declare("q")
    held: list[int] = []
    holding.basic_consume("q", lambda _, method, *content: held.append(method.delivery_tag))
    published = 0
    deadline = time.monotonic() + 30
    while not told:
        assert time.monotonic() < deadline, "nobody was blocked"
        # One by one: pika waits for ever with more than the sockets hold when it is not read any more.
        channel.basic_publish("", "q", b"x" * 40_960)
        published += 1
        channel.connection.process_data_events(0)
        consumer.process_data_events(0)
    assert told == ["low on memory"]
    process.wait_for("memory alarm:")

    consumer.process_data_events(0.5)
    assert 0 < len(held) <= published
    holding.basic_ack(held[-1], multiple=True)
    deadline = time.monotonic() + 10
    while told[-1] != "unblocked" and time.monotonic() < deadline:
        consumer.process_data_events(0)
        publisher.process_data_events(0.1)
    assert told == ["low on memory", "unblocked"]
    process.wait_for("memory alarm cleared")
    # What was under way when the socket stopped being read arrives once it is read again.
    while len(held) < published:
        assert time.monotonic() < deadline, f"{published - len(held)} messages did not come"
        consumer.process_data_events(0.1)
    publisher.close()
    consumer.close()


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
