"""The management API as commands use it: JSON in and out, and its errors as exceptions of one line."""

import errno
import json
from collections.abc import Iterator
from typing import Any

from supersoniq.cli.remote.http import Endpoint, NotHttp, Response, exchange

PAGE_SIZE = 500
# RFC 3986; urllib.parse would take several ms to import.
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class ApiError(Exception):
    """What was asked for could not be done; the text is one line for the operator."""


class Unreachable(ApiError):
    """No answer: nothing listens there, it may not be used, or it is too slow."""


class TimedOut(Unreachable):
    """No answer in time."""


class Refused(ApiError):
    """The answer is an error; `status` is HTTP's, `error` RabbitMQ's word for it, the text its reason."""

    def __init__(self, status: int, error: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.error = error


class Missing(Refused):
    """There is nothing of that name."""


class Api:
    """Requests to one endpoint. Paths are given as their parts, which are quoted here.

    `get("queues", "/", "orders")` asks for `/api/queues/%2F/orders`.
    """

    def __init__(self, endpoint: Endpoint, timeout_seconds: float | None = 30.0) -> None:
        self.endpoint = endpoint
        self._timeout_seconds = timeout_seconds

    def get(self, *parts: str, **query: object) -> Any:
        """The JSON at a path; a query value of None is left out."""
        return self.send("GET", parts, None, query)

    def put(self, *parts: str, body: object = None, **query: object) -> Any:
        """PUT `body` (an empty object when there is none), and return what is answered, if anything."""
        return self.send("PUT", parts, {} if body is None else body, query)

    def post(self, *parts: str, body: object = None, **query: object) -> Any:
        """POST `body` (an empty object when there is none), and return what is answered, if anything."""
        return self.send("POST", parts, {} if body is None else body, query)

    def patch(self, *parts: str, body: object, **query: object) -> Any:
        """PATCH with `body`, and return what is answered, if anything."""
        return self.send("PATCH", parts, body, query)

    def delete(self, *parts: str, body: object = None, **query: object) -> Any:
        """DELETE a path."""
        return self.send("DELETE", parts, body, query)

    def pages(self, *parts: str, **query: object) -> Iterator[list[Any]]:
        """The objects of a long listing, a page at a time."""
        page = page_count = 1
        while page <= page_count:
            answer = self.get(*parts, page=page, page_size=PAGE_SIZE, **query)
            if isinstance(answer, list):  # this listing has no pages
                yield answer
                return
            page_count = answer["page_count"]
            page += 1
            yield answer["items"]

    def listed(self, *parts: str, **query: object) -> list[Any]:
        """All objects of a listing that has pages."""
        return [item for page in self.pages(*parts, **query) for item in page]

    def send(
        self,
        method: str,
        parts: tuple[str, ...],
        body: object,
        query: dict[str, object],
        headers: dict[str, str] | None = None,
    ) -> Any:
        """One request; raises ApiError."""
        path = "/api/" + "/".join([quoted(part) for part in parts]) + _query(query)
        data = None if body is None else json.dumps(body).encode()
        return _json_of(self._exchange(method, path, data, headers or {}))

    def date(self) -> str:
        """The node's time, as HTTP says it."""
        return self._exchange("GET", "/api/overview", None, {}).headers.get("date", "")

    def _exchange(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Response:
        endpoint = self.endpoint
        try:
            response = exchange(endpoint, method, path, body, headers, self._timeout_seconds)
        except TimeoutError:
            raise TimedOut(f"{endpoint} did not answer within {self._timeout_seconds:g} s") from None
        except NotHttp as error:
            raise Unreachable(f"{endpoint}: {error}") from None
        except OSError as error:
            raise Unreachable(unreachable(endpoint, error)) from None
        if response.status >= 400:
            raise _refusal(response, path)
        return response


def quoted(text: str) -> str:
    """The text as one part of a path, or a value in a query."""
    return "".join([chr(octet) if octet in UNRESERVED else f"%{octet:02X}" for octet in text.encode()])


def _query(query: dict[str, object]) -> str:
    words = []
    for name, value in query.items():
        if value is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            key = name.replace("_", "-") if name.startswith("if_") else name
            words.append(f"{key}={quoted(text)}")
    return "?" + "&".join(words) if words else ""


def _json_of(response: Response) -> Any:
    if not response.body.strip():
        return None
    try:
        return json.loads(response.body)
    except ValueError:
        return response.body.decode("utf-8", "replace")


def _refusal(response: Response, path: str) -> Refused:
    """The error that a response tells; RabbitMQ says `{"error": …, "reason": …}`, or nothing."""
    answer = _json_of(response)
    fields = answer if isinstance(answer, dict) else {}
    error, given = str(fields.get("error", "")), fields.get("reason", "")
    reason = given if isinstance(given, str) else json.dumps(given)
    if "&" in reason:  # RabbitMQ writes it for web pages
        import html

        reason = html.unescape(reason)
    if response.status == 404:
        return Missing(404, error, f"{path} is not there: {reason or 'not found'}")
    if response.status == 401:
        return Refused(401, error, f"not allowed: {reason or 'a user and a password are needed'}")
    return Refused(response.status, error, reason or error or f"HTTP status {response.status} for {path}")


def unreachable(endpoint: Endpoint, error: OSError) -> str:
    """What an error of the socket means to the operator."""
    if not endpoint.path:
        reason = error.strerror or str(error)
        return f"{endpoint} cannot be reached: {reason[:1].lower()}{reason[1:]}"
    directory = endpoint.path.rpartition("/")[0]
    if error.errno in (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR):
        return f"no node runs on data directory {directory}: name another with --data-dir, or a --url"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{endpoint.path} may not be used: run this as the user that runs the node, or give a --url"
    return f"{endpoint.path} cannot be reached: {(error.strerror or str(error)).lower()}"
