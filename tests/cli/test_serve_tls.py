"""`supersoniq serve` with certificates: complaints at start, and SIGHUP under living connections."""

import re
import signal
import socket
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pika
import pytest
from tests.authority import NOW, Authority

Run = Callable[..., subprocess.CompletedProcess[str]]
Serve = Callable[..., Any]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


def environ(certificate: Path, **more: object) -> dict[str, str]:
    settings = {
        "tls_certificate": certificate,
        "tls_port": 0,
        "management": "off",
        "prometheus": "off",
    } | more
    return {f"SUPERSONIQ_{name.upper()}": str(value) for name, value in settings.items()}


def tls_port(log: str) -> int:
    found = re.search(r"listening on amqps://127\.0\.0\.1:(\d+)", log)
    assert found is not None, log
    return int(found[1])


def shown_name(port: int, authority: Authority) -> str:
    """The name in the certificate that a new client is shown."""
    context = authority.client_context()
    context.check_hostname = False
    with (
        socket.create_connection(("127.0.0.1", port), 30) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        certificate: Any = tls.getpeercert()
        return str(certificate["subjectAltName"][0][1])


def test_sighup_gives_new_clients_the_new_certificate_and_leaves_the_others_alone(
    serve: Serve, authority: Authority, tmp_path: Path
) -> None:
    path = authority.issue("localhost", not_after=datetime.now(UTC) + timedelta(days=3))
    conf = tmp_path / "rabbitmq.conf"
    conf.write_text("hipe_compile = true\n")
    process = serve("--log-format", "console", "--rabbitmq-conf", str(conf), env=environ(path))
    assert "hipe_compile is not honoured" in process.log
    assert f"TLS certificate {path} expires on " in process.log
    port = tls_port(process.log)
    options = pika.SSLOptions(authority.client_context(), "localhost")
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port, ssl_options=options))
    channel = connection.channel()
    queue = channel.queue_declare("", exclusive=True).method.queue

    authority.issue("renewed.example.com")
    assert shown_name(port, authority) == "localhost"
    process.send_signal(signal.SIGHUP)
    process.wait_for("the certificates were read anew")
    assert shown_name(port, authority) == "renewed.example.com"

    path.write_text("nothing")
    process.send_signal(signal.SIGHUP)
    process.wait_for(f"the certificates stay as they were: TLS certificate {path} has no certificate")
    assert shown_name(port, authority) == "renewed.example.com"

    channel.basic_publish("", queue, b"still here")
    assert channel.basic_get(queue, auto_ack=True)[2] == b"still here"
    connection.close()
    assert process.stop() == 0


def test_wrong_certificate_is_one_line_and_exit_code_2(supersoniq: Run, authority: Authority) -> None:
    old = authority.issue("localhost", not_after=NOW)
    result = supersoniq("serve", "--port", "0", env=environ(old))
    assert result.returncode == 2
    assert result.stderr == f"supersoniq: TLS certificate {old} expired on 2024-06-01T00:00:00Z\n"


def test_ping_asks_the_tls_port_where_there_is_no_other(
    serve: Serve, supersoniq: Run, authority: Authority, free_port: int
) -> None:
    env = environ(authority.issue("localhost"), amqp="off", tls_port=free_port)
    serve(env=env)
    done = supersoniq("ping", env=env)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"127.0.0.1:{free_port}: 10 round trips, min ")
