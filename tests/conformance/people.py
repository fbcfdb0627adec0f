"""Users with other permissions than all, made at the broker under test: ours, or the oracle by its API."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import threading
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

from supersoniq import Broker
from supersoniq.auth.passwords import SHA256, hash_password
from supersoniq.control.actor import Actor
from supersoniq.control.administration import Administration

VHOST = "conformance.people"
PASSWORD = "s3cret"
PATIENCE = 30
ACTOR = Actor("conformance")


class People(ABC):
    """Makes users; all of them are gone when it is closed."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 5672

    def url(self, user: str) -> str:
        """Where a user finds the virtual host."""
        return f"amqp://{user}:{PASSWORD}@{self.host}:{self.port}/{VHOST}"

    @property
    def admin_url(self) -> str:
        """Where guest, who may do everything, finds it."""
        return f"amqp://guest:guest@{self.host}:{self.port}/{VHOST}"

    def said(self, text: str) -> str:
        """What the broker under test says for a text of ours."""
        return text

    @abstractmethod
    def put_user(self, name: str, *tags: str) -> None:
        """Make a user with the common password, or give it other tags."""

    @abstractmethod
    def delete_user(self, name: str) -> None:
        """Delete a user, as an operator does."""

    @abstractmethod
    def put_permission(self, user: str, configure: str, write: str, read: str) -> None:
        """Set what a user may do in the virtual host."""

    @abstractmethod
    def clear_permission(self, user: str) -> None:
        """Take all that from it."""

    @abstractmethod
    def put_topic(self, user: str, exchange: str, write: str, read: str) -> None:
        """Set which routing keys a user may use."""

    @abstractmethod
    def close(self) -> None:
        """Remove all that was made."""


class OwnPeople(People):
    """Users of a broker of ours that lives in a thread of this process."""

    def __init__(self) -> None:
        self._started = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._live(),))
        self._thread.start()
        assert self._started.wait(PATIENCE)
        super().__init__(self._broker.url)

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        async with Broker(port=0, vhosts=["/", VHOST], management="off") as self._broker:
            self._started.set()
            await self._ended.wait()

    def _change(self, change: Callable[[Administration], object]) -> None:
        """Do it on the broker's loop."""
        done = threading.Event()

        def run() -> None:
            change(self._broker.node.administration)
            done.set()

        self._loop.call_soon_threadsafe(run)
        assert done.wait(PATIENCE)

    def put_user(self, name: str, *tags: str) -> None:
        password = hash_password(PASSWORD.encode(), SHA256)
        self._change(lambda control: control.put_user(name, password, frozenset(tags), ACTOR))

    def delete_user(self, name: str) -> None:
        self._change(lambda control: control.delete_user(name, ACTOR))

    def put_permission(self, user: str, configure: str, write: str, read: str) -> None:
        self._change(lambda control: control.put_permission(user, VHOST, configure, write, read, ACTOR))

    def clear_permission(self, user: str) -> None:
        self._change(lambda control: control.clear_permission(user, VHOST, ACTOR))

    def put_topic(self, user: str, exchange: str, write: str, read: str) -> None:
        self._change(lambda control: control.put_topic_permission(user, VHOST, exchange, write, read, ACTOR))

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(PATIENCE)


class OraclePeople(People):
    """Users of RabbitMQ, made by its management API, whose port is AMQP's and 10,000."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._made: set[str] = set()
        self._ask("PUT", f"vhosts/{VHOST}")

    def said(self, text: str) -> str:
        # Only its later versions say which permission it is, and the word exchange twice.
        text = re.sub("REFUSED - (configure|write|read) access", "REFUSED - access", text)
        return text.replace("in exchange exchange", "in exchange")

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        request = urllib.request.Request(
            f"http://{self.host}:{self.port + 10000}/api/{path}",
            None if body is None else json.dumps(body).encode(),
            {
                "content-type": "application/json",
                "authorization": "Basic " + base64.b64encode(b"guest:guest").decode(),
            },
            method=method,
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            answer.read()

    def put_user(self, name: str, *tags: str) -> None:
        self._made.add(name)
        self._ask("PUT", f"users/{name}", {"password": PASSWORD, "tags": ",".join(tags)})

    def delete_user(self, name: str) -> None:
        self._made.discard(name)
        self._ask("DELETE", f"users/{name}")

    def put_permission(self, user: str, configure: str, write: str, read: str) -> None:
        body = {"configure": configure, "write": write, "read": read}
        self._ask("PUT", f"permissions/{VHOST}/{user}", body)

    def clear_permission(self, user: str) -> None:
        self._ask("DELETE", f"permissions/{VHOST}/{user}")

    def put_topic(self, user: str, exchange: str, write: str, read: str) -> None:
        body = {"exchange": exchange, "write": write, "read": read}
        self._ask("PUT", f"topic-permissions/{VHOST}/{quote(user)}", body)

    def close(self) -> None:
        for user in list(self._made):
            self.delete_user(user)
        self._ask("DELETE", f"vhosts/{VHOST}")
