"""The sockets: where the API listens, who may use the local one, and how it ends."""

import asyncio
import base64
import contextlib
import gc
import os
import socket
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from tests.authority import Authority
from tests.management.api import Api

from supersoniq import Broker
from supersoniq.cli.remote.api import Api as LocalApi
from supersoniq.cli.remote.http import Endpoint
from supersoniq.management.serving import Serving


def asked_locally(path: Path, header: str = "") -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(str(path))
        client.sendall(f"GET /api/whoami HTTP/1.1\r\nHost: x\r\n{header}Connection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: client.recv(1000), b""))


def test_embedded_broker_has_no_api_unless_asked() -> None:
    with Broker() as broker:
        assert broker.node.management_addresses == []


def test_request_right_after_the_start_is_answered() -> None:
    with Broker(management="on") as broker:
        assert Api(broker.api_url).get("/api/whoami")["name"] == "guest"


async def closed_before_it_answers() -> list[str]:
    """Close in the very moment when the application is loaded; what goes wrong in tasks meanwhile."""
    loop = asyncio.get_running_loop()
    wrong: list[str] = []
    loop.set_exception_handler(lambda _, context: wrong.append(str(context["message"])))
    serving = Serving(Starlette)
    await serving.listen(["127.0.0.1"], 0)
    serving.start()
    while serving._http is None:
        await asyncio.sleep(0)
    serving.close()
    await asyncio.sleep(0.01)
    del serving
    gc.collect()
    return wrong


def test_closing_just_before_it_answers_is_fine() -> None:
    assert asyncio.run(closed_before_it_answers()) == []


def test_api_is_there_with_tls_too_and_has_the_certificate_that_was_read_last(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate = authority.issue("127.0.0.1")
    settings: dict[str, Any] = {
        "management": "on",
        "management_tls_port": 0,
        "tls_port": 0,
        "tls_certificate": certificate,
    }
    with Broker(**settings) as broker:
        host, port = broker.node.management_tls_addresses[0]
        assert shown(authority, host, port) == "127.0.0.1"
        authority.issue("127.0.0.1", "localhost")
        broker.node.reload()
        assert shown(authority, host, port) == "localhost"


def shown(authority: Authority, host: str, port: int) -> str:
    """The last name in the certificate of an API that answers."""
    connection = HTTPSConnection(host, port, context=authority.client_context(), timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", "/api/whoami")
        assert connection.getresponse().status == 401
        peer: Any = connection.sock.getpeercert()
    return str(peer["subjectAltName"][-1][1])


def test_port_that_is_taken_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use") as raised, Broker(management="on", management_port=port):
            pass
    assert raised.value.filename == f"127.0.0.1:{port}"


def test_who_can_open_the_local_socket_is_administrator(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with Broker(management="local", data_dir=tmp_path) as broker:
        assert path.stat().st_mode & 0o777 == 0o600
        answer = asked_locally(path)
        assert answer.endswith(b'{"name":"rmq-internal","tags":["administrator"]}')
        assert broker.node.management_addresses == []
    assert not path.exists()


def test_socket_of_a_node_that_was_killed_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "control.sock"))
    with Broker(management="local", data_dir=tmp_path):
        assert asked_locally(tmp_path / "control.sock").startswith(b"HTTP/1.1 200")


def test_directory_may_have_a_long_name(tmp_path: Path) -> None:
    """A socket's address has room for about a hundred octets."""
    directory = tmp_path / ("x" * 100)
    directory.mkdir()
    with Broker(management="local", data_dir=directory):
        opened = os.open(directory, os.O_RDONLY)
        try:
            answer = asked_locally(Path(f"/proc/self/fd/{opened}/control.sock"))
        finally:
            os.close(opened)
    assert answer.startswith(b"HTTP/1.1 200")


def test_password_that_is_given_on_the_local_socket_has_to_be_right(tmp_path: Path) -> None:
    with Broker(management="local", data_dir=tmp_path):
        for password, status in (("guest", b"200"), ("wrong", b"401")):
            pair = base64.b64encode(f"guest:{password}".encode()).decode()
            answer = asked_locally(tmp_path / "control.sock", f"Authorization: Basic {pair}\r\n")
            assert answer.startswith(b"HTTP/1.1 " + status), password


def test_operator_publishes_without_permissions(tmp_path: Path) -> None:
    with Broker(management="local", data_dir=tmp_path):
        api = LocalApi(Endpoint(path=str(tmp_path / "control.sock")))
        api.put("queues", "/", "q")
        message = {"properties": {}, "routing_key": "q", "payload": "x", "payload_encoding": "string"}
        assert api.post("exchanges", "/", "amq.default", "publish", body=message) == {"routed": True}
