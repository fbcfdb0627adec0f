"""HTTP as servers may answer it, and what is no HTTP."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from supersoniq.cli.remote.http import Endpoint, NotHttp, Response, exchange


@contextmanager
def answering(listener: socket.socket, answer: bytes) -> Iterator[list[bytes]]:
    """A server that sends `answer` to one client; what the client sent is in the list afterwards."""
    heard: list[bytes] = []

    def serve() -> None:
        client, _ = listener.accept()
        with client:
            heard.append(client.recv(65536))
            client.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    with listener:
        yield heard
        thread.join()


def ask(answer: bytes, body: bytes | None = None) -> tuple[Response, bytes]:
    listener = socket.create_server(("127.0.0.1", 0))
    endpoint = Endpoint(
        host="127.0.0.1", port=listener.getsockname()[1], prefix="/p", authorization="Basic eA=="
    )
    with answering(listener, answer) as heard:
        response = exchange(endpoint, "PUT", "/api/x", body, {"X-Reason": "two\r\nlines"}, 10)
    return response, heard[0]


def test_request_says_what_is_needed() -> None:
    _, request = ask(b"HTTP/1.1 204 No Content\r\n\r\n", b"{}")
    assert request == (
        b"PUT /p/api/x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAccept: */*\r\n"
        b"X-Reason: two lines\r\nAuthorization: Basic eA==\r\n"
        b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    )


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef", b"abc"),
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", b"to the end"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
            b"abc0123456789",
        ),
        (b"HTTP/1.0 200\r\nCONTENT-LENGTH:0\r\n\r\n", b""),
    ],
)  # fmt: skip
def test_body_is_read_as_the_header_says(answer: bytes, body: bytes) -> None:
    response, _ = ask(answer)
    assert (response.status, response.body) == (200, body)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"AMQP\x00\x00\x09\x01",
        b"HTTP/1.1 what\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ],
)
def test_what_is_no_answer_is_not_taken_for_one(answer: bytes) -> None:
    with pytest.raises(NotHttp):
        ask(answer)


def test_socket_in_a_deep_directory_is_reached(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen()
    (tmp_path / "s").rename(deep / "control.sock")
    with answering(listener, b"HTTP/1.1 204 No Content\r\n\r\n"):
        endpoint = Endpoint(path=str(deep / "control.sock"))
        assert exchange(endpoint, "GET", "/", None, {}, 10).status == 204


def test_silent_server_is_a_timeout(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        with pytest.raises(TimeoutError):
            exchange(Endpoint(path=str(tmp_path / "s")), "GET", "/", None, {}, 0.01)


@pytest.mark.parametrize(
    ("endpoint", "text"),
    [
        (Endpoint(path="/d/control.sock"), "/d/control.sock"),
        (Endpoint(host="h", port=1, prefix="/p"), "http://h:1/p"),
        (Endpoint(host="::1", port=1, is_tls=True), "https://[::1]:1"),
    ],
)
def test_endpoint_is_written_as_it_is_given(endpoint: Endpoint, text: str) -> None:
    assert str(endpoint) == text
