"""A client of the management API, as plain as can be: what is sent and what comes back is seen as it is."""

import base64
import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Answer:
    """What came back; `value` is the body, read as JSON where it is JSON."""

    status: int
    headers: dict[str, str]
    value: Any


class Api:
    """Requests to one server as one user; every request has a connection of its own."""

    def __init__(self, url: str, user: str | None = "guest", password: str = "guest") -> None:
        self.url = url
        self._address = urlsplit(url).netloc
        self.user = user or ""
        self._headers = {}
        if user is not None:
            pair = base64.b64encode(f"{user}:{password}".encode()).decode()
            self._headers["Authorization"] = f"Basic {pair}"

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Send a request; `body` goes as JSON unless it is octets."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection(self._address, timeout=30)
        try:
            kind = {} if data is None else {"Content-Type": "application/json"}
            connection.request(method, path, data, {**self._headers, **kind, **headers})
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        found = {name.lower(): value for name, value in response.getheaders()}
        is_json = found.get("content-type", "").startswith("application/json") and content
        return Answer(response.status, found, json.loads(content) if is_json else content)

    def get(self, path: str) -> Any:
        """What a path shows; anything but 200 is an error."""
        answer = self.ask("GET", path)
        assert answer.status == 200, answer
        return answer.value

    def put(self, path: str, body: object = None) -> int:
        """The status of a PUT that is not refused."""
        answer = self.ask("PUT", path, {} if body is None else body)
        assert answer.status in (201, 204), answer
        return answer.status

    def post(self, path: str, body: object = None) -> Any:
        """What a POST returns that is not refused."""
        answer = self.ask("POST", path, {} if body is None else body)
        assert answer.status < 300, answer
        return answer.value

    def delete(self, path: str) -> int:
        """The status of a DELETE that is not refused."""
        answer = self.ask("DELETE", path)
        assert answer.status == 204, answer
        return answer.status

    def as_user(self, user: str | None, password: str = "") -> "Api":
        """The same server, asked by another user."""
        return Api(self.url, user, password)
