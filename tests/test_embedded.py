"""A broker inside this process: both context managers, several at once, one after the other."""

import asyncio
import socket
import threading
from pathlib import Path

import pika
import pytest
from tests.authority import Authority
from tests.conformance.codec import PROTOCOL_HEADER, Connection, decode_method
from tests.session.script import frames_in

import supersoniq
from supersoniq.config import ConfigError
from supersoniq.embedded import Broker
from supersoniq.storage.directory import DataError


def start_of(broker: Broker) -> dict[str, object]:
    """The server properties that a client is told."""
    with socket.create_connection((broker.host, broker.port), 10) as client:
        client.sendall(PROTOCOL_HEADER)
        data = b""
        while True:
            frames, data = frames_in(data + client.recv(65536))
            if frames:
                start = decode_method(frames[0].payload)
                assert start.name == Connection.start().name
                found: dict[str, object] = start.server_properties
                return found


def is_listening(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def test_broker_is_what_the_package_offers() -> None:
    assert supersoniq.Broker is Broker


def test_broker_runs_in_a_thread_of_its_own() -> None:
    with Broker(port=0) as broker:
        assert start_of(broker)["product"]
        host, port = broker.host, broker.port
    assert not is_listening(host, port)
    assert "supersoniq" not in {thread.name for thread in threading.enumerate()}


def test_broker_runs_on_the_running_loop() -> None:
    async def scenario() -> tuple[str, int]:
        async with Broker(port=0) as broker:
            reader, writer = await asyncio.open_connection(broker.host, broker.port)
            writer.write(b"PING\r\n")
            assert await asyncio.wait_for(reader.read(), 10) == b"PONG\r\n"
            writer.close()
            await writer.wait_closed()
            return broker.host, broker.port

    threads = threading.active_count()
    assert not is_listening(*asyncio.run(scenario()))
    assert threading.active_count() == threads


def test_several_brokers_share_nothing() -> None:
    with Broker(port=0) as one, Broker(port=0, users={"ann": "secret"}) as other:
        assert one.port != other.port
        assert one.node.vhosts["/"] is not other.node.vhosts["/"]
        assert one.url == f"amqp://guest:guest@127.0.0.1:{one.port}/"
        assert other.url == f"amqp://ann:secret@127.0.0.1:{other.port}/"


def test_broker_can_be_run_again() -> None:
    broker = Broker(port=0)
    for _ in range(2):
        with broker as running:
            assert running is broker
            start_of(running)
    asyncio.run(enter_and_leave(broker))


async def enter_and_leave(broker: Broker) -> None:
    async with broker:
        assert is_listening(broker.host, broker.port)


def test_broker_that_does_not_run_says_so() -> None:
    broker = Broker()
    with pytest.raises(RuntimeError, match="not running"):
        _ = broker.url
    with broker:
        pass
    with pytest.raises(RuntimeError, match="not running"):
        _ = broker.port


def test_port_in_use_is_raised_where_the_broker_is_entered() -> None:
    with Broker(port=0) as first:
        with pytest.raises(OSError, match="in use"), Broker(port=first.port):
            pytest.fail("two brokers on one port")
        with pytest.raises(OSError, match="in use"):
            asyncio.run(enter_and_leave(Broker(port=first.port)))


def test_environment_does_not_change_an_embedded_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPERSONIQ_VHOSTS", "elsewhere")
    with Broker(port=0) as broker:
        assert set(broker.node.vhosts) == {"/"}


def test_directory_that_is_in_use_is_refused_where_the_broker_is_entered(tmp_path: Path) -> None:
    with Broker(port=0, data_dir=tmp_path):
        with pytest.raises(DataError, match="in use"), Broker(port=0, data_dir=tmp_path):
            pytest.fail("two brokers in one directory")
        with pytest.raises(DataError, match="in use"):
            asyncio.run(enter_and_leave(Broker(port=0, data_dir=tmp_path)))


def test_broker_may_speak_tls_only(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with Broker(amqp="off", tls_certificate=authority.issue("127.0.0.1")) as broker:
        assert broker.url.startswith("amqps://guest:guest@127.0.0.1:")
        parameters = pika.URLParameters(broker.url)
        parameters.ssl_options = pika.SSLOptions(authority.client_context(), "127.0.0.1")
        pika.BlockingConnection(parameters).close()
    with pytest.raises(ConfigError, match="expected tls_certificate"), Broker(amqp="off"):
        pytest.fail("a broker that nobody can connect to")
