"""What waits in a queue: looked at, searched, taken out."""

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from tests.management.cases import NOT_FOUND, Case, bad, play
from tests.management.conftest import Common

Q = "/queues/$V/q"


def publish(channel: BlockingChannel, body: str, key: str = "q", **headers: object) -> None:
    channel.basic_publish("", key, body.encode(), pika.BasicProperties(headers=headers))


def found(common: Common, query: str = "") -> list[str]:
    shown = common.api.get(common.path(f"{Q}/messages?{query}"))
    return [each["payload"] for each in shown["messages"]]


@pytest.fixture(autouse=True)
def queue(ours: Common, our_channel: BlockingChannel) -> None:
    our_channel.queue_declare("q")
    our_channel.confirm_delivery()


def test_messages_are_looked_at_and_stay(ours: Common, our_channel: BlockingChannel) -> None:
    for number in range(5):
        publish(our_channel, str(number))
    for _ in range(2):
        assert found(ours) == ["0", "1", "2", "3", "4"]
    page = ours.api.get(ours.path(Q + "/messages?limit=2"))
    assert found(ours, f"limit=2&after={page['after']}") == ["2", "3"]
    method, _, body = our_channel.basic_get("q", auto_ack=True)
    assert (method.redelivered, body) == (False, b"0")


def test_messages_are_searched(ours: Common, our_channel: BlockingChannel) -> None:
    publish(our_channel, "apple", kind="fruit", retries=3)
    publish(our_channel, "carrot", kind="root")
    for query, bodies in (
        ("text=rot", ["carrot"]),
        ("header=kind:fruit", ["apple"]),
        ("header=retries:3", ["apple"]),
        ("header=kind", ["apple", "carrot"]),
        ("header=nope", []),
        ("routing_key=q", ["apple", "carrot"]),
        ("exchange=other", []),
        ("older_than_ms=3600000", []),
    ):
        assert found(ours, query) == bodies, query


def test_one_message_is_dropped(ours: Common, our_channel: BlockingChannel) -> None:
    for number in range(3):
        publish(our_channel, str(number))
    position = ours.api.get(ours.path(Q + "/messages"))["messages"][1]["position"]
    path = f"{Q}/messages/{position}"
    play(ours, [Case("DELETE", path, None, 204), Case("DELETE", path, None, 404, NOT_FOUND)])
    assert found(ours) == ["0", "2"]


def test_what_makes_no_sense(ours: Common) -> None:
    limit = "limit = 2000: expected a number from 0 to 1000"
    play(
        ours,
        [
            Case("GET", Q + "/messages?limit=2000", None, 400, bad(limit)),
            Case("GET", Q + "/messages?older_than_ms=x", None, 400, bad(["not_integer", "x"])),
            Case("DELETE", Q + "/messages/x", None, 404, NOT_FOUND),
        ],
    )
