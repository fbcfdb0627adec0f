"""What waits in an exchange for its time: looked at, paged, cancelled."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from tests.management.api import Api
from tests.management.cases import NOT_FOUND, REFUSED, Case, bad, play
from tests.management.conftest import Common

from supersoniq import Broker

PATH = "/exchanges/$V/later/delayed"
HOUR_MS = 3_600_000


def delay(channel: BlockingChannel, body: str, hours: float, key: str = "key") -> None:
    properties = pika.BasicProperties(
        headers={"x-delay": int(hours * HOUR_MS)}, app_id="app", delivery_mode=2
    )
    channel.basic_publish("later", key, body.encode(), properties)


def page(common: Common, query: str = "") -> dict[str, Any]:
    found: dict[str, Any] = common.api.get(common.path(f"{PATH}?{query}"))
    return found


def bodies(found: dict[str, Any]) -> list[str]:
    return [each["payload"] for each in found["messages"]]


@pytest.fixture(autouse=True)
def later(ours: Common, our_channel: BlockingChannel) -> None:
    arguments = {"x-delayed-type": "fanout"}
    our_channel.exchange_declare("later", "x-delayed-message", durable=True, arguments=arguments)
    our_channel.confirm_delivery()


def test_message_that_waits_is_shown(ours: Common, our_channel: BlockingChannel) -> None:
    delay(our_channel, "soon", 1)
    found = page(ours)
    [message] = found["messages"]
    assert (found["count"], found["is_end"], found["after"]) == (1, True, message["id"])
    due = datetime.fromisoformat(message.pop("due")) - datetime.now(UTC)
    assert timedelta(minutes=55) < due <= timedelta(hours=1)
    del message["id"]
    assert message == {
        "exchange": "later",
        "routing_key": "key",
        "properties": {"headers": {"x-delay": HOUR_MS}, "app_id": "app", "delivery_mode": 2},
        "payload": "soon",
        "payload_bytes": 4,
        "payload_encoding": "string",
    }


def test_pages_follow_each_other_in_the_order_of_time(ours: Common, our_channel: BlockingChannel) -> None:
    for hours in (200, 1, 3000, 20):
        delay(our_channel, str(hours), hours)
    first = page(ours, "limit=3")
    assert (bodies(first), first["is_end"]) == (["1", "20", "200"], False)
    second = page(ours, f"limit=3&after={first['after']}")
    assert (bodies(second), second["is_end"]) == (["3000"], True)
    last = page(ours, f"after={second['after']}")
    assert (bodies(last), last["is_end"]) == ([], True)


def test_many_messages_come_in_one_answer(ours: Common, our_channel: BlockingChannel) -> None:
    for number in range(250):
        delay(our_channel, str(number), 100)
    found = page(ours, "limit=1000")
    assert (bodies(found), found["is_end"]) == ([str(number) for number in range(250)], True)


def test_cancelled_message_is_gone_and_the_others_come(ours: Common, our_channel: BlockingChannel) -> None:
    our_channel.queue_declare("q")
    our_channel.queue_bind("q", "later")
    delay(our_channel, "kept", 1 / 3600)
    delay(our_channel, "dropped", 1)
    name = next(each["id"] for each in page(ours)["messages"] if each["payload"] == "dropped")
    path = f"{PATH}/{name}"
    play(ours, [Case("DELETE", path, None, 204), Case("DELETE", path, None, 404, NOT_FOUND)])
    _, _, body = next(our_channel.consume("q", auto_ack=True, inactivity_timeout=30))
    assert body == b"kept"
    assert page(ours)["messages"] == []


def test_rights_are_those_of_the_exchange(ours: Common, our_channel: BlockingChannel) -> None:
    delay(our_channel, "soon", 1)
    name = page(ours)["messages"][0]["id"]
    stranger = ours.user("management", "^other")
    path = ours.path(PATH)
    for method, each in (("GET", path), ("DELETE", f"{path}/{name}")):
        answer = stranger.ask(method, each)
        assert (answer.status, answer.value) == (401, REFUSED)
    owner = ours.user("management", "^later")
    assert bodies(owner.get(path)) == ["soon"]
    assert owner.ask("DELETE", f"{path}/{name}").status == 204


def test_topic_permissions_hide_messages(ours: Common, our_channel: BlockingChannel) -> None:
    our_channel.exchange_declare("alarms", "topic", arguments={"x-delayed-exchange": True})
    for key in ("own.a", "other.a"):
        properties = pika.BasicProperties(headers={"x-delay": HOUR_MS})
        our_channel.basic_publish("alarms", key, key.encode(), properties)
    user = ours.user("management", ".*")
    name = user.get("/api/whoami")["name"]
    rights = {"exchange": "alarms", "write": ".*", "read": "^own"}
    ours.api.put(ours.path(f"/topic-permissions/$V/{name}"), rights)
    assert bodies(user.get(ours.path("/exchanges/$V/alarms/delayed"))) == ["own.a"]


def test_what_was_cancelled_stays_gone_after_a_restart(tmp_path: Path) -> None:
    path = "/api/exchanges/%2F/later/delayed"
    with Broker(data_dir=tmp_path, management="on") as broker:
        with pika.BlockingConnection(pika.URLParameters(broker.url)) as connection:
            channel = connection.channel()
            arguments = {"x-delayed-type": "fanout"}
            channel.exchange_declare("later", "x-delayed-message", durable=True, arguments=arguments)
            channel.confirm_delivery()
            for body in ("kept", "dropped"):
                delay(channel, body, 1)
        api = Api(broker.api_url)
        name = next(each["id"] for each in api.get(path)["messages"] if each["payload"] == "dropped")
        assert api.ask("DELETE", f"{path}/{name}").status == 204
    with Broker(data_dir=tmp_path, management="on") as broker:
        assert bodies(Api(broker.api_url).get(path)) == ["kept"]


def test_what_makes_no_sense(ours: Common) -> None:
    play(
        ours,
        [
            Case(
                "GET",
                "/exchanges/$V/amq.fanout/delayed",
                None,
                400,
                bad("the exchange does not delay messages"),
            ),
            Case("GET", "/exchanges/$V/nope/delayed", None, 404, NOT_FOUND),
            Case("GET", PATH + "?limit=x", None, 400, bad("limit = x: expected a number from 0 to 1000")),
            Case("GET", PATH + "?after=9.1.1", None, 400),
            Case("GET", PATH + "?after=0.1.1", None, 200),
            Case("DELETE", PATH + "/x", None, 404, NOT_FOUND),
            Case("DELETE", PATH + "/0.1.1", None, 404, NOT_FOUND),
            Case("DELETE", PATH + f"/0.1.{'9' * 18}", None, 404, NOT_FOUND),
        ],
    )
