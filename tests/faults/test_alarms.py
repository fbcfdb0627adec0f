"""What clients see of a broker whose disk has less free than it was told to keep."""

import signal
from collections.abc import Callable

import pika
import pytest
from pika.exceptions import ConnectionClosedByBroker
from tests.conftest import Process

Serve = Callable[..., Process]

# More than any file system has.
MORE_THAN_THERE_IS = "1000000TiB"


@pytest.mark.rule("connection.blocked", "disk")
def test_disk_alarm_blocks_publishers_and_nobody_else(serve: Serve) -> None:
    process = serve(env={"SUPERSONIQ_DISK_FREE_LIMIT": MORE_THAN_THERE_IS})
    process.wait_for("disk alarm:")
    publisher = pika.BlockingConnection(pika.URLParameters(process.url))
    told: list[str] = []
    publisher.add_on_connection_blocked_callback(lambda _, frame: told.append(frame.method.reason))
    channel = publisher.channel()
    channel.queue_declare("q")
    channel.basic_publish("", "q", b"x")
    consumer = pika.BlockingConnection(pika.URLParameters(process.url))
    for _, _, body in consumer.channel().consume("q", auto_ack=True):
        assert body == b"x"
        break
    publisher.process_data_events(0.1)
    assert told == ["low on disk"]
    consumer.close()
    # A client that is not read could not say goodbye; it is asked to.
    process.send_signal(signal.SIGTERM)
    with pytest.raises(ConnectionClosedByBroker):
        publisher.sleep(10)
    assert process.wait() == 0


def test_without_a_limit_there_is_no_disk_alarm(serve: Serve) -> None:
    process = serve(env={"SUPERSONIQ_DISK_FREE_LIMIT": "0"})
    assert "disk alarm" not in process.log
