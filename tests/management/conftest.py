"""Brokers with their management API on, and RabbitMQ's where the environment names it.

`SUPERSONIQ_TEST_API=http://guest:guest@127.0.0.1:15672` and `SUPERSONIQ_TEST_URL` for AMQP have the tests of
what both do alike run against RabbitMQ.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from tests.management.api import Api

from supersoniq import Broker

# The password `secret`: a hash of RabbitMQ's is checked at once, one of scrypt takes a quarter of a second.
SECRET = {
    "password_hash": "AQIDBDB9kM21iEUzN1lZ+6VReCsdNqS0sERdAQTcY6Xs3PMz",
    "hashing_algorithm": "rabbit_password_hashing_sha256",
}


@pytest.fixture(scope="module")
def shared_broker() -> Iterator[Broker]:
    """A broker for tests that leave nothing behind, in a thread of its own."""
    with Broker(management="on") as broker:
        yield broker


@pytest.fixture
def api(shared_broker: Broker) -> Api:
    """Its API, asked by the default user, an administrator."""
    return Api(shared_broker.api_url)


class Common:
    """A broker of either kind, and a virtual host of it that is the test's own."""

    def __init__(self, api: Api, amqp_url: str) -> None:
        self.api = api
        self.vhost = f"contract-{secrets.token_hex(4)}"
        self._amqp_url = amqp_url
        self._users: list[str] = []

    def path(self, path: str) -> str:
        """A path below /api, with the virtual host in place of `$V`."""
        return "/api" + path.replace("$V", self.vhost)

    def connect(self, user: str = "guest", password: str = "guest") -> pika.BlockingConnection:
        """A connection to the virtual host."""
        parameters = pika.URLParameters(self._amqp_url)
        parameters.virtual_host = self.vhost
        parameters.credentials = pika.PlainCredentials(user, password)
        parameters.client_properties = {"connection_name": "contract"}
        return pika.BlockingConnection(parameters)

    def user(self, tags: str, permission: str | None = None) -> Api:
        """A new user with tags, who may do in the virtual host what matches `permission`."""
        name = f"user-{secrets.token_hex(4)}"
        self._users.append(name)
        self.api.put(f"/api/users/{name}", {**SECRET, "tags": tags})
        if permission is not None:
            patterns = dict.fromkeys(("configure", "write", "read"), permission)
            self.api.put(self.path(f"/permissions/$V/{name}"), patterns)
        return self.api.as_user(name, "secret")

    def tidy(self) -> None:
        """Remove what was made."""
        for name in self._users:
            self.api.ask("DELETE", f"/api/users/{name}")
        self.api.ask("DELETE", self.path("/vhosts/$V"))


@pytest.fixture
def common(request: pytest.FixtureRequest) -> Iterator[Common]:
    """A broker of either kind with a virtual host."""
    url = os.environ.get("SUPERSONIQ_TEST_API")
    if url is None:
        broker = request.getfixturevalue("shared_broker")
        found = Common(Api(broker.api_url), broker.url)
    else:
        parts = urlsplit(url)
        plain = f"http://{parts.hostname}:{parts.port}"
        api = Api(plain, parts.username or "guest", parts.password or "guest")
        found = Common(api, os.environ["SUPERSONIQ_TEST_URL"])
    found.api.put(found.path("/vhosts/$V"))
    yield found
    found.tidy()


@pytest.fixture
def ours(shared_broker: Broker) -> Iterator[Common]:
    """The same for what RabbitMQ does not do, or does otherwise."""
    found = Common(Api(shared_broker.api_url), shared_broker.url)
    found.api.put(found.path("/vhosts/$V"))
    yield found
    found.tidy()


@pytest.fixture
def our_channel(ours: Common) -> Iterator[BlockingChannel]:
    """A channel in that virtual host."""
    with closing(ours.connect()) as connection:
        yield connection.channel()


@pytest.fixture
def channel(common: Common) -> Iterator[BlockingChannel]:
    """A channel in that virtual host."""
    with closing(common.connect()) as connection:
        yield connection.channel()
