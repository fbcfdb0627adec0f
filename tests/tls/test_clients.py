"""What clients see of TLS: libraries that nobody here wrote, versions, certificates of every kind."""

import asyncio
import contextlib
import logging
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aio_pika
import pika
import pytest
from kombu.connection import Connection as KombuConnection
from tests.authority import NOW, Authority
from tests.conformance.codec import PROTOCOL_HEADER, Basic, Channel, Connection
from tests.session.script import method_frame, octets_of

from supersoniq import Broker

LARGE_BYTES = 3_000_000
OPENING = (
    (0, Connection.start_ok(mechanism="PLAIN", response=b"\0guest\0guest", locale="en_US")),
    (0, Connection.tune_ok(channel_max=2047, frame_max=131072)),
    (0, Connection.open(virtual_host="/")),
    (1, Channel.open()),
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def broker(authority: Authority) -> Iterator[Broker]:
    """Asks for certificates, and believes those of the authority."""
    with Broker(
        tls_certificate=authority.issue("localhost", "127.0.0.1"),
        tls_ca=authority.path,
        tls_verify="request",
        users={"guest": "guest", "CN=ann,OU=staff,O=shop": "of no use here"},
    ) as running:
        yield running


@pytest.fixture
def start(authority: Authority) -> Iterator[Callable[..., Broker]]:
    """Brokers with other settings, which end with the test."""
    started: list[Broker] = []

    def broker_with(**settings: Any) -> Broker:
        defaults = {"tls_certificate": authority.issue("localhost", "127.0.0.1", file="other.pem")}
        broker = Broker(**(defaults | settings))
        broker.__enter__()
        started.append(broker)
        return broker

    yield broker_with
    for broker in started:
        broker.__exit__(None, None, None)


def tls_port(broker: Broker) -> int:
    return broker.node.tls_addresses[0][1]


def with_pika(
    broker: Broker, context: ssl.SSLContext, name: str = "localhost", **parameters: Any
) -> pika.BlockingConnection:
    options = pika.SSLOptions(context, name)
    return pika.BlockingConnection(
        pika.ConnectionParameters("127.0.0.1", tls_port(broker), ssl_options=options, **parameters)
    )


def greeting(broker: Broker, context: ssl.SSLContext, name: str = "localhost") -> tuple[str, dict[str, Any]]:
    """The version of TLS and the broker's certificate, once Connection.Start has come."""
    with (
        socket.create_connection(("127.0.0.1", tls_port(broker)), 30) as plain,
        context.wrap_socket(plain, server_hostname=name) as tls,
    ):
        tls.sendall(b"AMQP\0\0\x09\x01")
        assert tls.recv(4096)[:1] == b"\1"
        certificate: Any = tls.getpeercert()
        return str(tls.version()), certificate


def test_pika_publishes_and_gets_bodies_of_any_size(broker: Broker, authority: Authority) -> None:
    connection = with_pika(broker, authority.client_context())
    channel = connection.channel()
    channel.confirm_delivery()
    queue = channel.queue_declare("", exclusive=True).method.queue
    for size in (0, 1, 16_384, 131_064, LARGE_BYTES):
        body = bytes(size)
        channel.basic_publish("", queue, body)
        assert channel.basic_get(queue, auto_ack=True)[2] == body
    connection.close()


def test_aio_pika_consumes_what_it_publishes(broker: Broker, authority: Authority) -> None:
    async def scenario() -> None:
        url = f"amqps://guest:guest@127.0.0.1:{tls_port(broker)}/?cafile={authority.path}"
        async with asyncio.timeout(30), await aio_pika.connect_robust(url) as connection:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=50)
            queue = await channel.declare_queue(exclusive=True)
            bodies = [bytes([number]) * 1000 * number for number in range(100)]
            for body in bodies:
                await channel.default_exchange.publish(aio_pika.Message(body), queue.name)
            async with queue.iterator() as messages:
                for body in bodies:
                    message = await anext(messages)
                    assert message.body == body
                    await message.ack()

    asyncio.run(scenario())


def test_kombu_sends_and_drains(broker: Broker, authority: Authority) -> None:
    options = {
        "ca_certs": str(authority.path),
        "cert_reqs": ssl.CERT_REQUIRED,
        "server_hostname": "localhost",
    }
    url = f"amqp://guest:guest@127.0.0.1:{tls_port(broker)}//"
    got: list[object] = []
    with KombuConnection(url, ssl=options) as connection:
        queue = connection.SimpleQueue("kombu-tls")
        queue.put({"number": 1})
        message = queue.get(timeout=30)
        got.append(message.payload)
        message.ack()
        queue.close()
        connection.default_channel.queue_delete("kombu-tls")
    assert got == [{"number": 1}]


def test_user_is_found_by_the_certificate(broker: Broker, authority: Authority) -> None:
    names = {"common_name": "ann", "organization_unit_name": "staff", "organization_name": "shop"}
    ann = authority.issue(file="user.pem", **names)
    connection = with_pika(
        broker, authority.client_context(ann), credentials=pika.credentials.ExternalCredentials()
    )
    connection.channel().queue_declare("", exclusive=True)
    connection.close()


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_client_of_one_version_is_served(broker: Broker, authority: Authority, version: str) -> None:
    context = authority.client_context()
    context.minimum_version = context.maximum_version = ssl.TLSVersion[f"TLSv{version.replace('.', '_')}"]
    assert greeting(broker, context)[0] == f"TLSv{version}"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_client_of_an_old_version_is_refused(
    broker: Broker, authority: Authority, version: ssl.TLSVersion
) -> None:
    context = authority.client_context()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with pytest.raises(ssl.SSLError, match="TLSV1_ALERT_PROTOCOL_VERSION"):
        greeting(broker, context)


def test_client_checks_whom_it_speaks_to(broker: Broker, authority: Authority, tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        greeting(broker, authority.client_context(), "elsewhere.example.com")
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate verify failed"):
        greeting(broker, Authority(tmp_path / "other").client_context())
    greeting(broker, authority.client_context())


def refusal(broker: Broker, context: ssl.SSLContext) -> str:
    """What a client is told; with TLS 1.3 it hears of it when it reads."""
    with pytest.raises(ssl.SSLError) as caught:
        greeting(broker, context)
    return str(caught.value.reason)


def test_client_has_to_have_a_certificate_where_one_is_required(
    start: Callable[..., Broker], authority: Authority, tmp_path: Path
) -> None:
    broker = start(tls_ca=authority.path, tls_verify="require")
    assert refusal(broker, authority.client_context()) == "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    expired = authority.issue("ann", file="expired.pem", not_after=NOW)
    assert refusal(broker, authority.client_context(expired)) == "SSLV3_ALERT_CERTIFICATE_EXPIRED"
    stranger = Authority(tmp_path / "other").issue("ann", file="stranger.pem")
    assert refusal(broker, authority.client_context(stranger)) == "TLSV1_ALERT_UNKNOWN_CA"
    greeting(broker, authority.client_context(authority.issue("ann", file="ann.pem")))


def test_client_with_a_certificate_that_signs_itself_is_refused(
    broker: Broker, authority: Authority, tmp_path: Path
) -> None:
    own = Authority(tmp_path / "own")
    path = tmp_path / "own.pem"
    path.write_bytes(own.ca.private_key_pem.bytes() + own.ca.cert_pem.bytes())
    assert refusal(broker, authority.client_context(path)) in (
        "TLSV1_ALERT_UNKNOWN_CA",
        "SSLV3_ALERT_BAD_CERTIFICATE",
    )


def test_certificate_is_chosen_by_the_name_that_is_asked_for(
    start: Callable[..., Broker], authority: Authority
) -> None:
    files = {"certificate": authority.issue("*.example.com", file="wild.pem")}
    broker = start(tls_certificates={"*.example.com": files})
    names = greeting(broker, authority.client_context(), "mq.example.com")[1]["subjectAltName"]
    assert names == (("DNS", "*.example.com"),)
    assert ("DNS", "localhost") in greeting(broker, authority.client_context())[1]["subjectAltName"]


def test_consumer_that_reads_late_gets_everything(broker: Broker, authority: Authority) -> None:
    """More than socket and session hold: what they cannot take waits in the queue."""
    count, body = 300, bytes(50_000)
    connection = with_pika(broker, authority.client_context())
    channel = connection.channel()
    queue = channel.queue_declare("", exclusive=True).method.queue
    seen: list[int] = []
    channel.basic_consume(queue, lambda *args: seen.append(len(args[3])), auto_ack=True)
    for _ in range(count):
        channel.basic_publish("", queue, body)
    deadline = time.monotonic() + 30
    while len(seen) < count and time.monotonic() < deadline:
        connection.process_data_events(1)
    assert seen == [len(body)] * count
    connection.close()


@pytest.mark.parametrize("says_so", [True, False])
def test_what_a_client_sends_before_it_ends_is_taken(
    broker: Broker, authority: Authority, says_so: bool
) -> None:
    """Whether it sends close_notify or only ends the connection: as without TLS."""
    count, body = 200, bytes(20_000)
    with pika.BlockingConnection(pika.URLParameters(broker.url)) as watching:
        queue = watching.channel().queue_declare("tls-end").method.queue
        with (
            socket.create_connection(("127.0.0.1", tls_port(broker)), 30) as plain,
            authority.client_context().wrap_socket(plain, server_hostname="localhost") as tls,
        ):
            tls.sendall(PROTOCOL_HEADER + b"".join(method_frame(*each) for each in OPENING))
            heard = b""
            while struct.pack(">HH", 20, 11) not in heard:  # channel.open-ok
                heard += tls.recv(4096)
            publish = octets_of(1, Basic.publish(routing_key=queue, body=body))
            tls.sendall(publish * count)
            if says_so:
                tls.unwrap()
            tls.shutdown(socket.SHUT_WR)
            assert tls.recv(4096) == b""
        deadline = time.monotonic() + 30
        ready = 0
        while ready < count and time.monotonic() < deadline:
            watching.sleep(0.02)
            ready = watching.channel().queue_declare(queue, passive=True).method.message_count
        assert ready == count
        watching.channel().queue_delete(queue)


def said(client: socket.socket) -> bytes:
    """What a client hears until it is dropped."""
    heard = b""
    with contextlib.suppress(ConnectionResetError):
        while data := client.recv(4096):
            heard += data
    return heard


def test_client_that_does_not_speak_tls_is_told_so_in_tls(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_connection(("127.0.0.1", tls_port(broker)), 30) as client:
        client.sendall(PROTOCOL_HEADER)
        assert client.recv(100)[:1] in (b"\x15", b"")  # an alert
        client.shutdown(socket.SHUT_WR)
        said(client)
    assert "TLS handshake failed: the client does not speak TLS" in caplog.text


def test_client_that_does_not_go_on_with_its_handshake_is_dropped(
    start: Callable[..., Broker], authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    broker = start(handshake_timeout_ms=500)
    address = ("127.0.0.1", tls_port(broker))
    with socket.create_connection(address, 30) as silent, socket.create_connection(address, 30) as slow:
        slow.sendall(b"\x16\x03\x01")
        assert (said(silent), said(slow)) == (b"", b"")
    assert "handshake timeout" in caplog.text
    greeting(broker, authority.client_context())


@pytest.mark.parametrize("with_tls", [False, True])
def test_client_behind_a_proxy_is_where_the_header_says(
    start: Callable[..., Broker], authority: Authority, caplog: pytest.LogCaptureFixture, with_tls: bool
) -> None:
    """It is no client of this machine then: guest may not log in."""
    caplog.set_level(logging.INFO)
    broker = start(proxy_protocol=["127.0.0.1"], users={"ann": "s3cret"})
    port = tls_port(broker) if with_tls else broker.port
    with socket.create_connection(("127.0.0.1", port), 30) as plain:
        plain.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.9 50000 5672\r\n")
        context = authority.client_context()
        client = context.wrap_socket(plain, server_hostname="localhost") if with_tls else plain
        login = Connection.start_ok(mechanism="PLAIN", response=b"\0ann\0s3cret", locale="en_US")
        client.sendall(PROTOCOL_HEADER + b"".join(method_frame(*each) for each in ((0, login), *OPENING[1:])))
        heard = b""
        while struct.pack(">HH", 20, 11) not in heard:
            heard += client.recv(4096)
        client.close()
    assert "connection 192.0.2.1:50000: user ann opened vhost /" in caplog.text
