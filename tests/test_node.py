"""A node: its settings, its directory and its definitions, restarts, what clients are told."""

import asyncio
import contextlib
import json
import socket
import threading
from pathlib import Path

import pika
import pytest
from tests.conformance.codec import PROTOCOL_HEADER, Channel, Connection, Queue, decode_method
from tests.session.script import frames_in, method_frame
from tests.test_embedded import enter_and_leave, start_of

import supersoniq
from supersoniq.assembly.identity import CAPABILITIES, server_properties
from supersoniq.config import ConfigError, Settings
from supersoniq.embedded import Broker
from supersoniq.node import Node, RecoveryError, new_event_loop
from supersoniq.storage.store import DiskStore
from supersoniq.storage.worker import Job

OPENING = PROTOCOL_HEADER + b"".join(
    [
        method_frame(0, method)
        for method in (
            Connection.start_ok(client_properties={}, mechanism="PLAIN", response=b"\0guest\0guest"),
            Connection.tune_ok(channel_max=10, frame_max=131072),
            Connection.open(virtual_host="/"),
        )
    ]
)


def test_settings_reach_the_node() -> None:
    settings = Settings(
        host=["127.0.0.1"],
        vhosts=["/", "other"],
        channel_max=7,
        frame_max_bytes=8192,
        heartbeat_seconds=11,
        message_bytes_max=13,
        handshake_timeout_ms=2000,
    )
    node = Node(settings)
    limits = node.context.limits
    assert (limits.channel_max, limits.frame_max_bytes, limits.heartbeat_seconds) == (7, 8192, 11)
    assert (limits.message_bytes_max, limits.handshake_ticks) == (13, 4)
    assert node.addresses == []


def test_handshake_timeout_is_at_least_one_tick() -> None:
    assert Node(Settings(handshake_timeout_ms=1)).context.limits.handshake_ticks == 1


def test_client_is_told_what_the_broker_can_do() -> None:
    with Broker(port=0) as broker:
        told = start_of(broker)
    assert told == server_properties()
    assert told["capabilities"] == dict.fromkeys(CAPABILITIES, True)
    assert told["broker_version"] == supersoniq.__version__


def test_stopping_closes_who_is_connected() -> None:
    with Broker(port=0, shutdown_grace_ms=50) as broker:
        client = socket.create_connection((broker.host, broker.port), 10)
    with client, contextlib.suppress(ConnectionError):
        assert client.recv(1) == b""


def declare_on(broker: Broker, name: str) -> None:
    """Declare a durable queue, and return when that is safe."""
    queue = Queue.declare(queue=name, durable=True)
    with socket.create_connection((broker.host, broker.port), 10) as client:
        client.sendall(OPENING + method_frame(1, Channel.open()) + method_frame(1, queue))
        heard: list[str] = []
        rest = b""
        while "queue.declare_ok" not in heard:
            data = client.recv(65536)
            assert data, f"closed after {heard}"
            frames, rest = frames_in(rest + data)
            heard += [decode_method(frame.payload).name for frame in frames if frame.kind == 1]


def test_broker_with_a_directory_remembers(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with Broker(port=0, data_dir=tmp_path) as broker:
            declare_on(broker, name)
    with Broker(port=0, data_dir=tmp_path, vhosts=["/", "other"]) as broker:
        assert set(broker.node.vhosts["/"].queues) == {b"one", b"two"}
        report = broker.node.report
        assert report is not None
        assert (report.queues, report.was_stopped, report.damages) == (2, True, [])


def test_broker_without_a_directory_recovers_nothing() -> None:
    with Broker(port=0) as broker:
        assert broker.node.report is None


def test_node_that_cannot_listen_lets_go_of_its_directory_and_its_threads(tmp_path: Path) -> None:
    with Broker(port=0) as other:
        threads = threading.active_count()
        with pytest.raises(OSError, match="in use"), Broker(port=other.port, data_dir=tmp_path):
            pytest.fail("two brokers on one port")
        assert threading.active_count() == threads
    with Broker(port=0, data_dir=tmp_path):
        pass


def test_directory_that_cannot_be_read_is_refused_and_let_go(tmp_path: Path) -> None:
    with Broker(port=0, data_dir=tmp_path):
        pass
    (tmp_path / "journal" / "0000000099").mkdir()
    for _ in range(2):
        with pytest.raises(RecoveryError, match="cannot be used: Is a directory"):
            asyncio.run(enter_and_leave(Broker(port=0, data_dir=tmp_path)))
        with pytest.raises(RecoveryError, match="cannot be used"), Broker(port=0, data_dir=tmp_path):
            pytest.fail("a broker on what it cannot read")


def test_new_loops_can_run() -> None:
    loop = new_event_loop()
    assert loop.run_until_complete(asyncio.sleep(0, "done")) == "done"
    loop.close()


def filled(directory: Path) -> None:
    """Leave a directory with a durable queue of 30 messages."""
    directory.mkdir()
    with (
        Broker(data_dir=directory) as broker,
        pika.BlockingConnection(pika.URLParameters(broker.url)) as client,
    ):
        channel = client.channel()
        channel.confirm_delivery()
        channel.queue_declare("orders", durable=True)
        for number in range(30):
            channel.basic_publish("", "orders", b"%d" % number, pika.BasicProperties(delivery_mode=2))


def damage(directory: Path, mask: bytes) -> None:
    """Change the name in the record that declares the queue."""
    path = directory / "journal" / "0000000001"
    data = bytearray(path.read_bytes())
    at = data.index(b"orders")
    for index, octet in enumerate(mask):
        data[at + index] ^= octet
    path.write_bytes(data)


@pytest.mark.parametrize(("mask", "queue"), [(b"\x04", "orders"), (b"\x04\x40\x11", "lost-queue-1")])
def test_damaged_declaration_costs_no_message(tmp_path: Path, mask: bytes, queue: str) -> None:
    directory = tmp_path / "data"
    filled(directory)
    damage(directory, mask)
    for damages in (1, 0):
        with Broker(data_dir=directory) as broker:
            assert broker.node.report is not None
            assert len(broker.node.report.damages) == damages
            with pika.BlockingConnection(pika.URLParameters(broker.url)) as client:
                declared = client.channel().queue_declare(queue, passive=True)
                assert declared.method.message_count == 30
    assert list((directory / "damaged").iterdir())


def test_worker_that_ends_a_job_while_the_node_starts_is_heard(tmp_path: Path) -> None:
    """Or it would never be heard again: it tells once, until it is listened to."""

    async def live() -> bool:
        node = Node(
            Settings(port=0, host=["127.0.0.1"], data_dir=tmp_path, management="off", prometheus="off")
        )
        await node.start()
        try:
            store = node.vhosts["/"].store
            assert isinstance(store, DiskStore)
            store.shared.background.submit(told)
            for _ in range(200):
                if told.is_done:
                    break
                await asyncio.sleep(0.01)
            return told.is_done
        finally:
            await node.stop(0)

    class Told(Job):
        is_done = False

        def run(self) -> None:
            pass

        def done(self, error: OSError | None) -> None:
            self.is_done = True

    told = Told()
    assert asyncio.run(live())


# Definitions

DEFINITIONS = {
    "rabbit_version": "3.13.7",
    "vhosts": [{"name": "/"}, {"name": "shop"}],
    "users": [{"name": "guest", "tags": ["administrator"], "limits": {}}],
    "permissions": [{"user": "guest", "vhost": "shop", "configure": ".*", "write": ".*", "read": ".*"}],
    "policies": [
        {
            "vhost": "shop",
            "name": "short",
            "pattern": "^orders",
            "apply-to": "queues",
            "definition": {"max-length": 2},
            "priority": 0,
        }
    ],
    "exchanges": [
        {
            "name": "in",
            "vhost": "shop",
            "type": "topic",
            "durable": True,
            "auto_delete": False,
            "internal": False,
            "arguments": {},
        }
    ],
    "queues": [
        {"name": "orders", "vhost": "shop", "durable": True, "auto_delete": False, "arguments": {}},
    ],
    "bindings": [
        {
            "source": "in",
            "vhost": "shop",
            "destination": "orders",
            "destination_type": "queue",
            "routing_key": "order.#",
            "arguments": {},
        }
    ],
}


def test_definitions_are_there_when_clients_come(tmp_path: Path) -> None:
    """At every start, with what was there already."""
    path = tmp_path / "definitions.json"
    path.write_text(json.dumps(DEFINITIONS))
    data = _made(tmp_path / "data")
    for published in (3, 1):
        with (
            Broker(data_dir=data, load_definitions=path) as broker,
            pika.BlockingConnection(pika.URLParameters(broker.url + "shop")) as client,
        ):
            channel = client.channel()
            channel.confirm_delivery()
            for number in range(published):
                persistent = pika.BasicProperties(delivery_mode=2)
                channel.basic_publish("in", f"order.{number}", b"%d" % number, persistent)
            declared = channel.queue_declare("orders", durable=True, passive=True)
            assert declared.method.message_count == 2


def test_limit_of_definitions_shortens_what_was_recovered(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    filled(directory)
    path = tmp_path / "definitions.json"
    policy = {"vhost": "/", "name": "p", "pattern": "", "definition": {"max-length": 3}}
    path.write_text(json.dumps({"policies": [policy]}))
    with (
        Broker(data_dir=directory, load_definitions=path) as broker,
        pika.BlockingConnection(pika.URLParameters(broker.url)) as client,
    ):
        channel = client.channel()
        assert channel.queue_declare("orders", passive=True).method.message_count == 3
        assert channel.basic_get("orders")[2] == b"27"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON: "),
        ('{"queues": [{"name": "q"}]}', "queues[0].vhost: field required"),
        (
            '{"queues": [{"name": "q", "vhost": "no", "durable": true}]}',
            "queues[0]: no such vhost 'no'",
        ),
    ],
)
def test_definitions_that_are_wrong_keep_the_node_from_starting(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "definitions.json"
    path.write_text(text)
    data = _made(tmp_path / "data")
    for _ in range(2):
        with pytest.raises(ConfigError) as caught, Broker(data_dir=data, load_definitions=path):
            pytest.fail("a broker without its definitions")
        assert str(caught.value).startswith(f"definitions file {path}: {said}")
        assert "\n" not in str(caught.value)
    with Broker(data_dir=data):
        pass


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory
