"""EXTERNAL, with pika: a verified certificate says who the client is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pika
import pika.exceptions
import pytest
from pika.credentials import ExternalCredentials
from tests.authority import Authority

from supersoniq import Broker

Connect = Callable[[Path | None], pika.BlockingConnection]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def connect(authority: Authority) -> Iterator[Connect]:
    """Connects by EXTERNAL to a broker that knows ann, with a client's certificate or without one."""
    settings: dict[str, Any] = {
        "users": {"ann": "never said"},
        "tls_certificate": authority.issue("localhost"),
        "tls_port": 0,
        "tls_verify": "request",
        "tls_ca": authority.path,
        "ssl_cert_login_from": "common_name",
    }
    with Broker(port=0, **settings) as broker:
        host, port = broker.node.tls_addresses[0]

        def connect(certificate: Path | None) -> pika.BlockingConnection:
            tls = pika.SSLOptions(authority.client_context(certificate), "localhost")
            parameters = pika.ConnectionParameters(
                host, port, credentials=ExternalCredentials(), ssl_options=tls
            )
            return pika.BlockingConnection(parameters)

        yield connect


def test_certificate_with_the_name_of_a_user_logs_in(authority: Authority, connect: Connect) -> None:
    connection = connect(authority.issue(common_name="ann", file="ann.pem"))
    connection.channel().queue_declare("q", exclusive=True)
    connection.close()


def test_certificate_with_another_name_is_refused(authority: Authority, connect: Connect) -> None:
    with pytest.raises(pika.exceptions.ProbableAuthenticationError, match="mechanism EXTERNAL"):
        connect(authority.issue(common_name="bob", file="bob.pem"))


def test_client_without_a_certificate_is_not_offered_it(connect: Connect) -> None:
    with pytest.raises(pika.exceptions.AuthenticationError):
        connect(None)
