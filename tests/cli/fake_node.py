"""A management API that answers what a test says, on the Unix socket where a node would have it."""

import json
import socketserver
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit


class Asked(NamedTuple):
    """One request that came."""

    method: str
    path: str  # its parts are unquoted and joined by a slash
    query: str
    body: Any
    headers: dict[str, str]


Answer = tuple[int, Any] | Callable[[Asked], tuple[int, Any]]
NOT_FOUND = (404, {"error": "Object Not Found", "reason": "Not Found"})


class FakeNode:
    """Answers by method and path, as in `answers["GET", "queues//"] = 200, []`, and keeps what was asked."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.answers: dict[tuple[str, str], Answer] = {}
        self.asked: list[Asked] = []
        self.is_chunked = False
        self._server = _Server(str(directory / "control.sock"), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def get(self, path: str, answer: Any) -> None:
        """Answer GET requests for `path` with this JSON."""
        self.answers["GET", path] = 200, answer

    def accepts(self, method: str, path: str, answer: Any = None) -> None:
        """Answer requests that change something."""
        self.answers[method, path] = (204, None) if answer is None else (200, answer)

    def changes(self) -> list[tuple[str, str, Any]]:
        """The method, path and body of what was not just read."""
        return [(asked.method, asked.path, asked.body) for asked in self.asked if asked.method != "GET"]


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, path: str, node: FakeNode) -> None:
        self.node = node
        super().__init__(path, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        node = self.server.node
        url = urlsplit(self.path)
        path = "/".join([unquote(part) for part in url.path.removeprefix("/api/").split("/")])
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, path, url.query, body, headers)
        node.asked.append(asked)
        answer = node.answers.get((self.command, path), NOT_FOUND)
        status, value = answer(asked) if callable(answer) else answer
        data = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        if node.is_chunked and data:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for start in range(0, len(data), 7):
                chunk = data[start : start + 7]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.write(b"0\r\n\r\n")
            return
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if data:
            self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = _answer

    def address_string(self) -> str:
        return "socket"

    def log_message(self, format: str, *args: Any) -> None:
        pass
