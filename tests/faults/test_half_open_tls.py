"""Strangers who begin handshakes and do not go on hold up nobody: who is connected, and who comes."""

import contextlib
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pika
import pytest
from tests.authority import Authority
from tests.conftest import Process

from supersoniq.server.handshakes import PENDING_MAX

# What a client says first, cut off: a record of 512 octets that never comes.
BEGUN = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
ROUND_TRIPS = 200


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def node(serve: Callable[..., Process], authority: Authority) -> Process:
    settings = {"CERTIFICATE": str(authority.issue("localhost")), "PORT": "0"}
    environ = {f"SUPERSONIQ_TLS_{name}": value for name, value in settings.items()}
    return serve(
        "--log-format",
        "console",
        env=environ | {"SUPERSONIQ_MANAGEMENT": "off", "SUPERSONIQ_PROMETHEUS": "off"},
    )


def tls_port(node: Process) -> int:
    found = re.search(r"listening on amqps://127\.0\.0\.1:(\d+)", node.log)
    assert found is not None, node.log
    return int(found[1])


def connected(node: Process, authority: Authority) -> pika.BlockingConnection:
    options = pika.SSLOptions(authority.client_context(), "localhost")
    return pika.BlockingConnection(
        pika.ConnectionParameters("127.0.0.1", tls_port(node), ssl_options=options)
    )


@contextlib.contextmanager
def half_open(port: int, count: int) -> Iterator[list[socket.socket]]:
    """Connections of which every other one has begun a handshake."""
    with contextlib.ExitStack() as stack:
        strangers = []
        for number in range(count):
            stranger = stack.enter_context(socket.create_connection(("127.0.0.1", port), 30))
            if number % 2:
                stranger.sendall(BEGUN)
            strangers.append(stranger)
        yield strangers


def round_trips(connection: pika.BlockingConnection) -> list[float]:
    """How long publishing and getting back a message takes, sorted."""
    channel = connection.channel()
    queue = channel.queue_declare("", exclusive=True).method.queue
    seconds = []
    for number in range(ROUND_TRIPS):
        began = time.perf_counter()
        channel.basic_publish("", queue, str(number).encode())
        assert channel.basic_get(queue, auto_ack=True)[2] == str(number).encode()
        seconds.append(time.perf_counter() - began)
    channel.close()
    return sorted(seconds)


def test_a_thousand_half_open_handshakes_hold_up_nobody(node: Process, authority: Authority) -> None:
    """When there are too many of them the oldest make room for who comes."""
    connection = connected(node, authority)
    with half_open(tls_port(node), PENDING_MAX + 50) as strangers:
        assert round_trips(connection)[ROUND_TRIPS // 2] < 1
        connected(node, authority).close()
        for stranger in strangers[:50]:
            with contextlib.suppress(ConnectionResetError):
                assert stranger.recv(1) == b""
        node.wait_for("of the oldest made room for others")
    connection.close()
    assert node.stop() == 0


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_ten_thousand_half_open_handshakes_leave_the_others_their_latency(
    node: Process, authority: Authority
) -> None:
    connection = connected(node, authority)
    quiet = round_trips(connection)[ROUND_TRIPS * 99 // 100]
    before = resident_bytes(node.pid)
    with half_open(tls_port(node), 10_000):
        attacked = round_trips(connection)[ROUND_TRIPS * 99 // 100]
        connected(node, authority).close()
        grown = resident_bytes(node.pid) - before
    connection.close()
    assert attacked < max(3 * quiet, 0.01)
    assert grown < 100 * 1024 * 1024


def resident_bytes(pid: int) -> int:
    fields: Any = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * 4096
