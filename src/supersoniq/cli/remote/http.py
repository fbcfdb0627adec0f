"""HTTP/1.1 to a management API, one request a connection, over a Unix socket or TCP.

`http.client` would do it too, and takes 40 ms to import (email, ssl): half of what a whole command takes.
"""

import os
import socket
from collections.abc import Callable
from typing import NamedTuple

ReadLine = Callable[[], bytes]
Read = Callable[[int], bytes]

SOCKET_PATH_BYTES_MAX = 100


class Endpoint(NamedTuple):
    """Where an API is: a Unix socket when `path` is given, else TCP."""

    path: str = ""
    host: str = ""
    port: int = 0
    prefix: str = ""  # of every path, as in http://host/rabbitmq/api
    is_tls: bool = False
    ca_file: str = ""
    authorization: str = ""  # the value of the header, if any

    def __str__(self) -> str:
        scheme = "https" if self.is_tls else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.path or f"{scheme}://{host}:{self.port}{self.prefix}"


class Response(NamedTuple):
    """What was answered; names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class NotHttp(Exception):
    """The other side does not speak HTTP, or went away in the middle of an answer."""


def exchange(
    endpoint: Endpoint,
    method: str,
    path: str,
    body: bytes | None,
    headers: dict[str, str],
    timeout_seconds: float | None,
) -> Response:
    """Send a request and read its response; raises OSError (TimeoutError among them) and NotHttp."""
    head = [
        f"{method} {endpoint.prefix}{path} HTTP/1.1",
        f"Host: {'localhost' if endpoint.path else endpoint.host}",
        "Connection: close",
        "Accept: */*",
    ]
    head += [f"{name}: {' '.join(value.split())}" for name, value in headers.items()]
    if endpoint.authorization:
        head.append(f"Authorization: {endpoint.authorization}")
    if body is not None:
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    request = "\r\n".join([*head, "", ""]).encode() + (body or b"")
    with _connected(endpoint, timeout_seconds) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as stream:
            return _response(stream.readline, stream.read)


def _connected(endpoint: Endpoint, timeout_seconds: float | None) -> socket.socket:
    if endpoint.path:
        return _connected_to_socket(endpoint.path, timeout_seconds)
    connection = socket.create_connection((endpoint.host, endpoint.port), timeout_seconds)
    if not endpoint.is_tls:
        return connection
    import ssl

    try:
        context = ssl.create_default_context(cafile=endpoint.ca_file or None)
        return context.wrap_socket(connection, server_hostname=endpoint.host)
    except BaseException:
        connection.close()
        raise


def _connected_to_socket(path: str, timeout_seconds: float | None) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout_seconds)
    directory = None
    try:
        if len(os.fsencode(path)) > SOCKET_PATH_BYTES_MAX:
            # The address of a socket has room for about 100 bytes: a long directory goes by a short name.
            directory = os.open(os.path.dirname(path), os.O_RDONLY)
            path = f"/proc/self/fd/{directory}/{os.path.basename(path)}"
        connection.connect(path)
    except BaseException:
        connection.close()
        raise
    finally:
        if directory is not None:
            os.close(directory)
    return connection


def _response(line: ReadLine, read: Read) -> Response:
    version, _, rest = line().decode("latin-1").partition(" ")
    status, _, _ = rest.partition(" ")
    if not version.startswith("HTTP/1.") or not status.strip().isdigit():
        raise NotHttp("the answer is not HTTP")
    headers = {}
    while text := line().decode("latin-1").strip():
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    return Response(int(status), headers, _body(int(status), headers, line, read))


def _body(status: int, headers: dict[str, str], line: ReadLine, read: Read) -> bytes:
    if status in (204, 304):
        return b""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        chunks = []
        while count := _chunk_bytes(line()):
            chunks.append(_exactly(count, read))
            line()
        return b"".join(chunks)
    if "content-length" in headers:
        return _exactly(int(headers["content-length"]), read)
    return read(-1)


def _chunk_bytes(line: bytes) -> int:
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError:
        raise NotHttp("the answer ended in its middle") from None


def _exactly(count: int, read: Read) -> bytes:
    body = read(count)
    if len(body) != count:
        raise NotHttp("the answer ended in its middle")
    return body
