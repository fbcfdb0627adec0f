"""What operators change over HTTP is felt by clients that are connected, as with RabbitMQ."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import aio_pika
import pika
import pytest
from aio_pika.exceptions import CONNECTION_EXCEPTIONS
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import (
    AMQPConnectionError,
    AMQPError,
    ChannelClosedByBroker,
    ConnectionClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)
from tests.management.api import Api

SECONDS = 30
ALL = {"configure": ".*", "write": ".*", "read": ".*"}


class Site:
    """A virtual host and a user of its own, both made over HTTP, and the user's connections."""

    def __init__(self, api: Api, url: str) -> None:
        self.api = api
        self.mark = uuid.uuid4().hex[:12]
        self.vhost, self.user = f"effects-{self.mark}", f"ann-{self.mark}"
        self._url = url
        self._connections: list[pika.BlockingConnection] = []
        api.put(f"/api/vhosts/{self.vhost}")
        api.put(f"/api/users/{self.user}", {"password": "pw", "tags": ""})
        self.permit(self.user)
        self.permit("guest")

    def permit(self, user: str, **patterns: str) -> None:
        self.api.put(f"/api/permissions/{self.vhost}/{user}", {**ALL, **patterns})

    def parameters(self, password: str = "pw", vhost: str | None = None) -> pika.URLParameters:
        parameters = pika.URLParameters(self._url)
        parameters.credentials = pika.PlainCredentials(self.user, password)
        parameters.virtual_host = self.vhost if vhost is None else vhost
        return parameters

    def connect(self, password: str = "pw", vhost: str | None = None) -> pika.BlockingConnection:
        self._connections.append(pika.BlockingConnection(self.parameters(password, vhost)))
        return self._connections[-1]

    def channel(self) -> BlockingChannel:
        return self.connect().channel()

    def queue(self, name: str = "q") -> Any:
        """What the API says of a queue."""
        return self.api.get(f"/api/queues/{self.vhost}/{name}")

    def close(self) -> None:
        for connection in self._connections:
            try:
                connection.close()
            except AMQPError:
                continue
        for path in (f"/api/vhosts/{self.vhost}", f"/api/users/{self.user}"):
            assert self.api.ask("DELETE", path).status in (204, 404)


@pytest.fixture
def site(api_url: str, url: str) -> Iterator[Site]:
    made = Site(Api(api_url), url)
    yield made
    made.close()


def until(condition: Callable[[], bool]) -> None:
    """Wait until something has taken effect."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it has no effect"
        time.sleep(0.02)


def closed_by(connection: pika.BlockingConnection) -> ConnectionClosedByBroker:
    """What a connection that does nothing is closed with."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            connection.process_data_events(0.1)
        except ConnectionClosedByBroker as error:
            return error
    raise AssertionError("it is not closed")


def ready(channel: BlockingChannel, queue: str = "q") -> int:
    return int(channel.queue_declare(queue, passive=True).method.message_count)


# Users


def test_new_user_needs_a_permission_to_come_in(site: Site) -> None:
    site.api.delete(f"/api/permissions/{site.vhost}/{site.user}")
    with pytest.raises(ProbableAccessDeniedError, match=f"access to vhost '{site.vhost}' refused for user"):
        site.connect()
    site.permit(site.user)
    assert site.connect().is_open


def test_user_that_is_deleted_is_thrown_out(site: Site) -> None:
    connection = site.connect()
    site.api.delete(f"/api/users/{site.user}")
    error = closed_by(connection)
    assert (error.reply_code, error.reply_text) == (
        320, f"CONNECTION_FORCED - user '{site.user}' is deleted",
    )  # fmt: skip
    with pytest.raises(ProbableAuthenticationError):
        site.connect()


def test_new_password_is_for_new_connections(site: Site) -> None:
    channel = site.channel()
    site.api.put(f"/api/users/{site.user}", {"password": "new", "tags": ""})
    with pytest.raises(ProbableAuthenticationError):
        site.connect()
    assert site.connect("new").is_open
    channel.queue_declare("q")


def test_user_without_a_password_cannot_log_in(site: Site) -> None:
    site.api.put(f"/api/users/{site.user}", {"password_hash": "", "tags": ""})
    for password in ("pw", ""):
        with pytest.raises(AMQPConnectionError):
            site.connect(password)


def test_tags_open_the_api(site: Site) -> None:
    ann = site.api.as_user(site.user, "pw")
    assert ann.ask("GET", "/api/whoami").status == 401
    site.api.put(f"/api/users/{site.user}", {"password": "pw", "tags": "management"})
    assert ann.get("/api/whoami")["tags"] == ["management"]
    assert ann.ask("GET", "/api/users").status == 401
    site.api.put(f"/api/users/{site.user}", {"password": "pw", "tags": "administrator"})
    assert site.user in [each["name"] for each in ann.get("/api/users")]


def test_user_limit_of_connections(site: Site) -> None:
    kept = site.connect()
    site.api.put(f"/api/user-limits/{site.user}/max-connections", {"value": 1})
    with pytest.raises(ProbableAccessDeniedError, match=r"connection limit \(1\) is reached"):
        site.connect()
    site.api.delete(f"/api/user-limits/{site.user}/max-connections")
    assert site.connect().is_open
    assert kept.is_open


def test_user_limit_of_channels(site: Site) -> None:
    connection = site.connect()
    connection.channel()
    site.api.put(f"/api/user-limits/{site.user}/max-channels", {"value": 1})
    with pytest.raises(
        ConnectionClosedByBroker, match=r"has reached the maximum allowed user limit of \(1\)"
    ):
        connection.channel()


# Permissions


@pytest.mark.parametrize(
    ("right", "act"),
    [
        ("configure", lambda channel: channel.queue_declare("new")),
        ("write", lambda channel: channel.queue_bind("q", "amq.topic")),
        ("read", lambda channel: channel.basic_get("q")),
    ],
)
def test_permission_that_is_taken_is_missed_at_the_next_method(
    site: Site, right: str, act: Callable[[BlockingChannel], object]
) -> None:
    channel = site.channel()
    channel.queue_declare("q")
    site.permit(site.user, **{right: "^$"})
    with pytest.raises(ChannelClosedByBroker, match=r"ACCESS_REFUSED") as caught:
        act(channel)
    assert caught.value.reply_code == 403
    site.permit(site.user)
    act(channel.connection.channel())


def test_publisher_misses_its_permission(site: Site) -> None:
    channel = site.channel()
    channel.confirm_delivery()
    channel.queue_declare("q")
    site.permit(site.user, write="^$")
    with pytest.raises(ChannelClosedByBroker, match=r"access to exchange 'amq.default' in vhost"):
        channel.basic_publish("", "q", b"")
    site.permit(site.user)
    again = channel.connection.channel()
    again.confirm_delivery()
    again.basic_publish("", "q", b"")
    assert ready(again) == 1


def test_topic_permission_is_for_routing_keys(site: Site) -> None:
    channel = site.channel()
    channel.confirm_delivery()
    channel.queue_declare("q")
    channel.queue_bind("q", "amq.topic", "#")
    pattern = {"exchange": "amq.topic", "write": "^own\\.", "read": ".*"}
    site.api.put(f"/api/topic-permissions/{site.vhost}/{site.user}", pattern)
    channel = channel.connection.channel()
    channel.confirm_delivery()
    channel.basic_publish("amq.topic", "own.key", b"")
    with pytest.raises(ChannelClosedByBroker, match=r"access to topic 'other.key' in exchange"):
        channel.basic_publish("amq.topic", "other.key", b"")
    site.api.delete(f"/api/topic-permissions/{site.vhost}/{site.user}")
    channel = channel.connection.channel()
    channel.confirm_delivery()
    channel.basic_publish("amq.topic", "other.key", b"")
    assert ready(channel) == 2


# Virtual hosts


def test_virtual_host_that_is_deleted_throws_everybody_out(site: Site) -> None:
    channel = site.channel()
    channel.queue_declare("q", durable=True)
    channel.basic_publish("", "q", b"", pika.BasicProperties(delivery_mode=2))
    site.api.delete(f"/api/vhosts/{site.vhost}")
    error = closed_by(channel.connection)
    assert (error.reply_code, error.reply_text) == (
        320, f"CONNECTION_FORCED - vhost '{site.vhost}' is deleted",
    )  # fmt: skip
    with pytest.raises(ProbableAccessDeniedError, match=f"vhost {site.vhost} not found"):
        site.connect()
    site.api.put(f"/api/vhosts/{site.vhost}")
    with pytest.raises(ProbableAccessDeniedError, match=r"refused for user"):
        site.connect()
    site.permit(site.user)
    with pytest.raises(ChannelClosedByBroker, match=r"NOT_FOUND"):
        site.channel().queue_declare("q", passive=True)


def test_limit_of_queues(site: Site) -> None:
    channel = site.channel()
    channel.queue_declare("q1")
    site.api.put(f"/api/vhost-limits/{site.vhost}/max-queues", {"value": 1})
    channel.queue_declare("q1")
    with pytest.raises(ChannelClosedByBroker, match=r"queue limit in vhost '.*' \(1\) is reached") as caught:
        channel.queue_declare("q2")
    assert caught.value.reply_code == 406
    site.api.delete(f"/api/vhost-limits/{site.vhost}/max-queues")
    site.channel().queue_declare("q2")


def test_limit_of_connections(site: Site) -> None:
    kept = site.connect()
    site.api.put(f"/api/vhost-limits/{site.vhost}/max-connections", {"value": 1})
    with pytest.raises(ProbableAccessDeniedError, match=r"connection limit \(1\) is reached"):
        site.connect()
    site.api.put(f"/api/vhost-limits/{site.vhost}/max-connections", {"value": 2})
    assert site.connect().is_open
    assert kept.is_open


# Policies


def policy(site: Site, kind: str = "policies", name: str = "p", **definition: object) -> None:
    body = {"pattern": "^q$", "apply-to": "queues", "definition": _dashed(definition)}
    site.api.put(f"/api/{kind}/{site.vhost}/{name}", body)


def _dashed(definition: dict[str, object]) -> dict[str, object]:
    return {name.replace("_", "-"): value for name, value in definition.items()}


def test_policy_shortens_a_queue_at_once(site: Site) -> None:
    channel = site.channel()
    channel.queue_declare("q")
    for number in range(5):
        channel.basic_publish("", "q", b"%d" % number)
    policy(site, max_length=2)
    until(lambda: ready(channel) == 2)
    assert channel.basic_get("q", auto_ack=True)[2] == b"3"
    site.api.delete(f"/api/policies/{site.vhost}/p")
    for _ in range(3):
        channel.basic_publish("", "q", b"more")
    until(lambda: ready(channel) == 4)


def test_operator_policy_counts_more_where_it_is_stricter(site: Site) -> None:
    channel = site.channel()
    channel.queue_declare("q")
    policy(site, max_length=5)
    policy(site, "operator-policies", max_length=2)
    until(lambda: site.queue().get("effective_policy_definition", {}).get("max-length") == 2)
    for _ in range(6):
        channel.basic_publish("", "q", b"")
    until(lambda: ready(channel) == 2)
    site.api.delete(f"/api/operator-policies/{site.vhost}/p")
    until(lambda: site.queue().get("effective_policy_definition", {}).get("max-length") == 5)


def test_policy_sends_dead_letters_from_now_on(site: Site) -> None:
    channel = site.channel()
    channel.queue_declare("q")
    channel.queue_declare("dead")
    policy(site, dead_letter_exchange="", dead_letter_routing_key="dead")
    until(lambda: site.queue().get("policy") == "p")
    channel.basic_publish("", "q", b"bad")
    until(lambda: ready(channel) == 1)
    tag = channel.basic_get("q")[0].delivery_tag
    channel.basic_reject(tag, requeue=False)
    until(lambda: ready(channel, "dead") == 1)


def test_policy_changes_the_way_of_what_is_not_routed(site: Site) -> None:
    channel = site.channel()
    channel.queue_declare("q")
    channel.queue_bind("q", "amq.fanout")
    channel.exchange_declare("e", "direct")
    channel.basic_publish("e", "k", b"lost")
    body = {"pattern": "^e$", "apply-to": "exchanges", "definition": {"alternate-exchange": "amq.fanout"}}
    site.api.put(f"/api/policies/{site.vhost}/ae", body)
    until(lambda: site.api.get(f"/api/exchanges/{site.vhost}/e").get("policy") == "ae")
    channel.basic_publish("e", "k", b"found")
    until(lambda: ready(channel) == 1)


# Topology


def test_publisher_finds_what_is_bound_later(site: Site) -> None:
    channel = site.channel()
    channel.confirm_delivery()
    channel.basic_publish("amq.direct", "k", b"1")
    site.api.put(f"/api/queues/{site.vhost}/q", {"durable": True})
    site.api.post(f"/api/bindings/{site.vhost}/e/amq.direct/q/q", {"routing_key": "k"})
    channel.basic_publish("amq.direct", "k", b"2")
    assert channel.basic_get("q", auto_ack=True)[2] == b"2"
    site.api.delete(f"/api/bindings/{site.vhost}/e/amq.direct/q/q/k")
    channel.basic_publish("amq.direct", "k", b"3")
    assert ready(channel) == 0


def test_consumer_hears_that_its_queue_is_deleted(site: Site) -> None:
    channel = site.channel()
    channel.queue_declare("q")
    cancelled: list[str] = []
    channel.add_on_cancel_callback(lambda frame: cancelled.append(frame.method.consumer_tag))
    channel.basic_consume("q", lambda *_: None, consumer_tag="tag")
    site.api.delete(f"/api/queues/{site.vhost}/q")
    until(lambda: bool(channel.connection.process_data_events(0.05)) or cancelled == ["tag"])
    assert channel.is_open


def test_purged_messages_are_gone(site: Site) -> None:
    channel = site.channel()
    channel.confirm_delivery()
    channel.queue_declare("q")
    for _ in range(3):
        channel.basic_publish("", "q", b"")
    held = channel.basic_get("q")[0]
    site.api.delete(f"/api/queues/{site.vhost}/q/contents")
    assert ready(channel) == 0
    channel.basic_nack(held.delivery_tag, requeue=True)
    until(lambda: ready(channel) == 1)


def test_connection_that_is_closed_by_an_operator_hears_why(site: Site) -> None:
    connection = site.connect()

    def names() -> list[str]:
        found = site.api.get(f"/api/vhosts/{site.vhost}/connections")
        return [each["name"] for each in found if each.get("name")]

    until(lambda: len(names()) == 1)
    path = f"/api/connections/{quote(names()[0], safe='')}"
    assert site.api.ask("DELETE", path, **{"X-Reason": "out of order"}).status == 204
    error = closed_by(connection)
    assert (error.reply_code, error.reply_text) == (320, "CONNECTION_FORCED - out of order")


# asyncio


async def _work_through_changes(site: Site, url: str) -> list[str]:
    """A robust client that publishes and consumes all the time, while its virtual host goes and comes."""
    parameters = site.parameters()
    address = (
        f"amqp://{site.user}:pw@{parameters.host}:{parameters.port}/{site.vhost}?reconnect_interval=0.05"
    )
    connection = await aio_pika.connect_robust(address)
    got: list[str] = []
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("work", durable=True)

        async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            got.append(message.body.decode())
            await message.ack()

        await queue.consume(take)
        await _publish_until_got(channel, got, "before")
        await asyncio.to_thread(site.api.delete, f"/api/vhosts/{site.vhost}")
        await asyncio.to_thread(site.api.put, f"/api/vhosts/{site.vhost}")
        await asyncio.to_thread(site.permit, site.user)
        await _publish_until_got(channel, got, "after")
    return got


async def _publish_until_got(channel: aio_pika.abc.AbstractChannel, got: list[str], text: str) -> None:
    async with asyncio.timeout(SECONDS):
        while text not in got:
            try:
                message = aio_pika.Message(text.encode())
                await asyncio.wait_for(channel.default_exchange.publish(message, "work"), 1)
            except (*CONNECTION_EXCEPTIONS, TimeoutError, aio_pika.exceptions.AMQPException):
                pass
            await asyncio.sleep(0.05)


def test_robust_client_comes_back_to_a_virtual_host_that_was_made_anew(site: Site, url: str) -> None:
    got = asyncio.run(_work_through_changes(site, url))
    assert set(got) == {"before", "after"}
