"""The ASGI application for Prometheus: paths, compression and streaming of pages.

What writes the pages is imported when the first of them is asked for, by a thread: most nodes are started
more often than they are looked at.
"""

import asyncio
import importlib
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from supersoniq.metrics.sampling import Sampling
from supersoniq.metrics.sources import Sources

if TYPE_CHECKING:
    from supersoniq.metrics.pages import Pages

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

# Names and labels repeat: this is fast, and more effort saves little.
GZIP_LEVEL: Final = 1
GZIP_FORMAT: Final = 31  # zlib's word for a gzip header and 32 KiB
SENT_BYTES_MIN: Final = 64 * 1024


class MetricsApp:
    """Answers for one node."""

    def __init__(self, sources: Sources, sampling: Sampling) -> None:
        self._sources = sources
        self._sampling = sampling
        self._pages: Pages | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        path = scope["path"].rstrip("/")
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if path != "/metrics" and not path.startswith("/metrics/"):
            await _refuse(send, 404, {"error": "Object Not Found", "reason": "Not Found"})
        elif scope["method"] not in ("GET", "HEAD"):
            await _refuse(send, 405, {"error": "Method Not Allowed", "reason": "Method Not Allowed"})
        else:
            query = parse_qs(scope["query_string"].decode("latin-1"))
            await self._answer(path, query, headers, send)

    async def _answer(
        self, path: str, query: dict[str, list[str]], headers: dict[bytes, str], send: Send
    ) -> None:
        if self._pages is None:
            loop = asyncio.get_running_loop()
            self._pages = await loop.run_in_executor(None, _pages_of, self._sources, self._sampling)
        page = self._pages.page(path, query, headers.get(b"accept", ""))
        if page is None:
            await _send(send, 404, [(b"content-type", b"text/plain")], b"Unknown Registry")
            return
        pieces = _gathered(page.pieces)
        answer = [(b"content-type", page.content_type.encode()), (b"vary", b"accept, accept-encoding")]
        if _takes_gzip(headers.get(b"accept-encoding", "")):
            answer.append((b"content-encoding", b"gzip"))
            pieces = _zipped(pieces)
        await send({"type": "http.response.start", "status": 200, "headers": answer})
        async for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _pages_of(sources: Sources, sampling: Sampling) -> "Pages":
    module = importlib.import_module("supersoniq.metrics.pages")
    return module.Pages(sources, sampling)  # type: ignore[no-any-return]


async def _gathered(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the same octets in pieces that are worth sending."""
    waiting: list[bytes] = []
    size = 0
    async for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= SENT_BYTES_MIN:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


async def _zipped(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield pieces compressed."""
    compressor = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_FORMAT)
    async for piece in pieces:
        if compressed := compressor.compress(piece):
            yield compressed
    yield compressor.flush()


def _takes_gzip(accept_encoding: str) -> bool:
    for each in accept_encoding.split(","):
        name, _, weight = each.partition(";")
        if name.strip().lower() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0")
    return False


async def _refuse(send: Send, status: int, body: dict[str, str]) -> None:
    await _send(send, status, [(b"content-type", b"application/json")], json.dumps(body).encode())


async def _send(send: Send, status: int, headers: Headers, body: bytes) -> None:
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
