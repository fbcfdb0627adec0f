"""Messages go elsewhere: at once or by a job, back to where they died or to what a request names."""

import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from tests.management.api import Api
from tests.management.cases import NOT_FOUND, Case, bad, play
from tests.management.conftest import Common
from tests.management.waiting import eventually

from supersoniq import Broker

Q = "/queues/$V/q"
COUNT = 250  # some pages of what is looked at together


def publish(channel: BlockingChannel, body: str, key: str = "q", **headers: object) -> None:
    channel.basic_publish("", key, body.encode(), pika.BasicProperties(headers=headers))


def found(common: Common, queue: str = "q") -> list[str]:
    shown = common.api.get(common.path(f"/queues/$V/{queue}/messages?limit=1000"))
    return [each["payload"] for each in shown["messages"]]


def ended(common: Common, job: dict[str, Any]) -> dict[str, Any]:
    """What a job was in the end."""

    def look() -> Any:
        shown = common.api.get(f"/api/jobs/{job['id']}")
        return None if shown["state"] == "running" else shown

    shown: dict[str, Any] = eventually(look)
    return shown


@pytest.fixture(autouse=True)
def queue(ours: Common, our_channel: BlockingChannel) -> None:
    our_channel.queue_declare("q")
    our_channel.confirm_delivery()


@pytest.fixture
def other(our_channel: BlockingChannel) -> None:
    our_channel.queue_declare("other")
    for number in range(COUNT):
        publish(our_channel, str(number), even=number % 2 == 0)


def test_dead_letters_go_back_to_where_they_died(ours: Common, our_channel: BlockingChannel) -> None:
    arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "q"}
    our_channel.queue_declare("work", arguments=arguments)
    for number in range(3):
        publish(our_channel, str(number), "work", own=number)
        method, _, _ = our_channel.basic_get("work")
        our_channel.basic_reject(method.delivery_tag, requeue=False)
    assert len(found(ours)) == 3
    answer = ours.api.post(ours.path(Q + "/redrive"), {"to": "origin", "filter": {"header": "own:1"}})
    assert answer == {"moved": 1, "left": 0}
    assert ours.api.post(ours.path(Q + "/redrive"), {"limit": 1}) == {"moved": 1, "left": 0}
    assert ours.api.post(ours.path(Q + "/redrive"), {"to": "exchange"}) == {"moved": 1, "left": 0}
    assert found(ours) == []
    shown = ours.api.get(ours.path("/queues/$V/work/messages"))["messages"]
    assert [each["payload"] for each in shown] == ["1", "0", "2"]
    assert [each["properties"]["headers"] for each in shown] == [{"own": 1}, {"own": 0}, {"own": 2}]


def test_messages_go_to_another_queue_or_stay(ours: Common, our_channel: BlockingChannel) -> None:
    our_channel.queue_declare("other", arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
    publish(our_channel, "0")
    publish(our_channel, "1")
    answer = ours.api.post(ours.path(Q + "/redrive"), {"to": "queue", "queue": "other"})
    assert answer == {"moved": 1, "left": 1}
    assert found(ours) == ["1"]
    assert ours.api.post(ours.path(Q + "/redrive")) == {"moved": 0, "left": 1}  # it has not died


@pytest.mark.usefixtures("other")
def test_messages_go_to_an_exchange_with_their_own_key_or_another(ours: Common) -> None:
    ours.api.put(ours.path("/exchanges/$V/x"), {"type": "topic"})
    ours.api.post(ours.path("/bindings/$V/e/x/q/other"), {"routing_key": "q"})
    move = ours.path(Q + "/move")
    assert ours.api.post(move, {"exchange": "x", "limit": 2}) == {"moved": 2, "left": 0}
    body = {"exchange": "x", "routing_key": "nope", "limit": 2}
    assert ours.api.post(move, body) == {"moved": 0, "left": 2}
    body = {"exchange": "amq.default", "routing_key": "other", "limit": 1}
    assert ours.api.post(move, body) == {"moved": 1, "left": 0}
    assert found(ours, "other") == ["0", "1", "2"]


@pytest.mark.usefixtures("other")
def test_job_moves_what_is_meant_and_says_how_far_it_is(ours: Common) -> None:
    body = {"queue": "other", "background": True, "filter": {"header": "even:true"}}
    answer = ours.api.ask("POST", ours.path(Q + "/move"), body)
    job = answer.value
    assert (answer.status, answer.headers["location"]) == (202, f"/api/jobs/{job['id']}")
    shown = ended(ours, job)
    expected = {
        "state": "done", "error": None, "total": COUNT, "looked_at": COUNT, "moved": COUNT // 2, "skipped": 0,
        "kind": "move", "queue": "q", "vhost": ours.vhost, "user": "guest",
    }  # fmt: skip
    assert {name: shown[name] for name in expected} == expected
    assert shown["started"] <= shown["ended"]
    assert found(ours, "other") == [str(number) for number in range(0, COUNT, 2)]
    assert shown in ours.api.get("/api/jobs")


@pytest.mark.usefixtures("other")
def test_rate_bounds_how_many_move_in_a_second(ours: Common) -> None:
    start = time.monotonic()
    job = ours.api.post(ours.path(Q + "/move"), {"queue": "other", "rate": 100, "limit": 50})
    shown = ended(ours, job)
    assert (shown["moved"], shown["total"]) == (50, 50)
    assert time.monotonic() - start > 0.35


@pytest.mark.usefixtures("other")
def test_job_is_cancelled_and_what_it_moved_stays_moved(ours: Common) -> None:
    job = ours.api.post(ours.path(Q + "/move"), {"queue": "other", "rate": 20})
    path = f"/api/jobs/{job['id']}"
    eventually(lambda: ours.api.get(path)["moved"] >= 2)
    assert ours.api.delete(path) == 204
    shown = ours.api.get(path)
    assert shown["state"] == "cancelled"
    assert found(ours, "other") == [str(number) for number in range(shown["moved"])]
    assert len(found(ours)) == COUNT - shown["moved"]
    assert ours.api.delete(path) == 204
    play(ours, [Case("GET", f"/jobs/{job['id']}", None, 404, NOT_FOUND)])


@pytest.mark.usefixtures("other")
def test_job_fails_when_its_queue_is_deleted(ours: Common) -> None:
    job = ours.api.post(ours.path(Q + "/move"), {"queue": "other", "rate": 20})
    ours.api.delete(ours.path(Q))
    shown = ended(ours, job)
    error = f"queue 'q' in vhost '{ours.vhost}' was deleted"
    assert (shown["state"], shown["error"]) == ("failed", error)


@pytest.mark.usefixtures("other")
def test_consumers_take_messages_between_and_none_is_there_twice(
    ours: Common, our_channel: BlockingChannel
) -> None:
    job = ours.api.post(ours.path(Q + "/move"), {"queue": "other", "rate": 500})
    taken = []
    while True:
        method, _, body = our_channel.basic_get("q", auto_ack=True)
        if method is None:
            break
        taken.append(body.decode())
    shown = ended(ours, job)
    assert (shown["state"], shown["skipped"]) == ("done", 0)
    assert sorted(taken + found(ours, "other"), key=int) == [str(number) for number in range(COUNT)]


@pytest.mark.usefixtures("other")
def test_job_may_do_what_its_user_may(ours: Common) -> None:
    reader = ours.user("management", "^q$")
    body = {"queue": "other", "background": True}
    job = reader.post(ours.path(Q + "/move"), body)  # it may not write to the default exchange
    assert ended(ours, job)["skipped"] == COUNT
    foreign = ours.api.post(ours.path(Q + "/move"), body)
    answer = reader.ask("DELETE", f"/api/jobs/{foreign['id']}")
    assert (answer.status, answer.value["reason"]) == (401, "User not authorised to access object")
    assert [each["id"] for each in reader.get("/api/jobs")] == [job["id"], foreign["id"]]


def test_every_message_is_in_one_place_after_a_restart_in_the_middle(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"management": "on", "data_dir": tmp_path}
    queue, other = "/api/queues/%2F/q", "/api/queues/%2F/other"
    with Broker(**settings) as broker:
        api = Api(broker.api_url)
        api.put(queue, {"durable": True})
        api.put(other, {"durable": True})
        with closing(pika.BlockingConnection(pika.URLParameters(broker.url))) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            for number in range(COUNT):
                channel.basic_publish("", "q", str(number).encode(), pika.BasicProperties(delivery_mode=2))
        job = api.post(queue + "/move", {"queue": "other", "rate": 100})
        eventually(lambda: api.get(f"/api/jobs/{job['id']}")["moved"] >= 5)
    with Broker(**settings) as broker:
        api = Api(broker.api_url)
        assert api.get("/api/jobs") == []
        moved, left = (
            [each["payload"] for each in api.get(path + "/messages?limit=1000")["messages"]]
            for path in (other, queue)
        )
    assert 5 <= len(moved) < COUNT
    assert moved + left == [str(number) for number in range(COUNT)]


def test_header_that_cannot_be_a_name_is_no_origin(ours: Common, our_channel: BlockingChannel) -> None:
    publish(our_channel, "x", **{"x-first-death-queue": "x" * 300})
    assert ours.api.post(ours.path(Q + "/redrive")) == {"moved": 0, "left": 1}


def test_what_makes_no_sense(ours: Common) -> None:
    queue = "queue has to name another queue of the virtual host"
    exchange = "exchange has to name an exchange of the virtual host"
    rate = "rate = 0: expected a number from 1 to 1000000"
    play(
        ours,
        [
            Case("POST", Q + "/redrive", {"to": "queue", "queue": "q"}, 400, bad(queue)),
            Case("POST", Q + "/move", {}, 400, bad(queue)),
            Case("POST", Q + "/move", {"exchange": "nope"}, 400, bad(exchange)),
            Case("POST", Q + "/redrive", {"rate": 0}, 400, bad(rate)),
            Case("POST", Q + "/redrive", {"to": "x"}, 400),
            Case("POST", Q + "/redrive", {"background": 1}, 400, bad(["not_boolean", 1])),
        ],
    )
