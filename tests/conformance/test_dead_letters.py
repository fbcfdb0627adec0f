"""Dead letters: why a message died, where it goes, and what it says of that."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance.codec import Basic, Confirm, Exchange, Method, Queue, Tx
from tests.conformance.names import Names
from tests.conformance.test_expiry import declare, eventually
from tests.conformance.wire import WireChannel, properties_of

PERSISTENT = {"delivery_mode": 2}


def dying(ch: WireChannel, names: Names, durable: bool = False, **arguments: object) -> tuple[str, str]:
    """A queue whose dead letters go to another one, by the default exchange."""
    dead = declare(ch, names("dead"), durable)
    source = declare(ch, names.q, durable, dead_letter_exchange="", dead_letter_routing_key=dead, **arguments)
    return source, dead


def fetched(ch: WireChannel, queue: str) -> Method:
    """The only message of a queue, as soon as it is there."""
    eventually(ch, queue, 1)
    ch >> Basic.get(queue=queue, no_ack=True)
    return ch << Basic.get_ok()


def headers_of(method: Method) -> dict[str, Any]:
    headers: dict[str, Any] = properties_of(method)["headers"]
    return headers


def deaths_of(method: Method) -> list[dict[str, Any]]:
    deaths: list[dict[str, Any]] = headers_of(method)["x-death"]
    return deaths


@pytest.mark.rule("dlx", "expired")
@pytest.mark.parametrize("durable", [False, True])
def test_expired_message_is_dead_lettered(ch: WireChannel, names: Names, durable: bool) -> None:
    q, dead = dying(ch, names, durable, message_ttl=50)
    ch.enqueue(q, b"a", properties={**PERSISTENT, "headers": {"mine": 1}, "expiration": "40000"})
    got = fetched(ch, dead)
    assert (got.body, got.exchange, got.routing_key, got.redelivered) == (b"a", "", dead, False)
    properties = properties_of(got)
    assert properties["delivery_mode"] == 2
    assert "expiration" not in properties
    headers = headers_of(got)
    (death,) = headers["x-death"]
    assert death.pop("time") is not None
    assert death == {
        "count": 1,
        "reason": "expired",
        "queue": q,
        "exchange": "",
        "routing-keys": [q],
        "original-expiration": "40000",
    }
    assert headers["mine"] == 1
    assert [headers[f"x-first-death-{word}"] for word in ("reason", "queue", "exchange")] == [
        "expired",
        q,
        "",
    ]


@pytest.mark.rule("dlx", "rejected")
@pytest.mark.parametrize("how", ["reject", "nack", "nack multiple"])
def test_rejected_message_is_dead_lettered(ch: WireChannel, names: Names, how: str) -> None:
    q, dead = dying(ch, names)
    ch.enqueue(q, b"a")
    ch >> Basic.get(queue=q)
    tag = (ch << Basic.get_ok()).delivery_tag
    if how == "reject":
        ch >> Basic.reject(delivery_tag=tag, requeue=False)
    else:
        ch >> Basic.nack(delivery_tag=tag, multiple=how != "nack", requeue=False)
    got = fetched(ch, dead)
    assert got.body == b"a"
    assert deaths_of(got)[0]["reason"] == "rejected"


@pytest.mark.rule("dlx", "maxlen")
def test_dropped_message_is_dead_lettered(ch: WireChannel, names: Names) -> None:
    q, dead = dying(ch, names, max_length=1)
    ch.enqueue(q, b"a", b"b")
    got = fetched(ch, dead)
    assert (got.body, deaths_of(got)[0]["reason"]) == (b"a", "maxlen")
    assert ch.drain(q) == [b"b"]


def test_without_a_key_the_messages_own_ones_are_kept(ch: WireChannel, names: Names) -> None:
    dead, copy = declare(ch, names("dead")), declare(ch, names("copy"))
    ch.call(Exchange.declare(exchange=names.x, type="direct"))
    q = declare(ch, names.q, dead_letter_exchange=names.x, message_ttl=1)
    ch.call(Queue.bind(queue=dead, exchange=names.x, routing_key=q))
    ch.call(Queue.bind(queue=copy, exchange=names.x, routing_key="copy"))
    ch.enqueue(q, b"a", properties={"headers": {"CC": ["copy"]}})
    for queue in (dead, copy):
        got = fetched(ch, queue)
        assert got.routing_key == q
        assert deaths_of(got)[0]["routing-keys"] == [q, "copy"]
        assert headers_of(got)["CC"] == ["copy"]


def test_with_a_key_the_copies_are_lost(ch: WireChannel, names: Names) -> None:
    q, dead = dying(ch, names, message_ttl=1)
    ch.enqueue(q, b"a", properties={"headers": {"CC": ["elsewhere"]}})
    got = fetched(ch, dead)
    assert "CC" not in headers_of(got)
    assert deaths_of(got)[0]["routing-keys"] == [q, "elsewhere"]


def test_missing_exchange_drops(ch: WireChannel, names: Names) -> None:
    q = declare(ch, names.q, dead_letter_exchange=names.x, message_ttl=1)
    ch.enqueue(q, b"a", b"b")
    eventually(ch, q, 0)


def test_message_that_dies_again_counts(ch: WireChannel, names: Names) -> None:
    q, dead = dying(ch, names)
    headers: dict[str, Any] = {}
    for count in range(1, 4):
        ch.enqueue(q, b"a", properties={"headers": headers})
        ch >> Basic.get(queue=q)
        ch >> Basic.reject(delivery_tag=(ch << Basic.get_ok()).delivery_tag, requeue=False)
        got = fetched(ch, dead)
        assert [death["count"] for death in deaths_of(got)] == [count]
        headers = headers_of(got)


def test_message_that_dies_elsewhere_has_the_latest_death_first(ch: WireChannel, names: Names) -> None:
    last = declare(ch, names("last"))
    middle = declare(
        ch, names("middle"), dead_letter_exchange="", dead_letter_routing_key=last, message_ttl=1
    )
    q = declare(ch, names.q, dead_letter_exchange="", dead_letter_routing_key=middle, max_length=0)
    ch.enqueue(q, b"a")
    got = fetched(ch, last)
    assert [(death["queue"], death["reason"]) for death in deaths_of(got)] == [
        (middle, "expired"),
        (q, "maxlen"),
    ]
    headers = headers_of(got)
    assert (headers["x-first-death-queue"], headers["x-first-death-reason"]) == (q, "maxlen")


@pytest.mark.oracle_differs("3.10 has no x-last-death")
def test_last_death_is_told_in_headers_of_its_own(ch: WireChannel, names: Names) -> None:
    q, dead = dying(ch, names, message_ttl=1)
    ch.enqueue(q, b"a")
    headers = headers_of(fetched(ch, dead))
    assert [headers[f"x-last-death-{word}"] for word in ("reason", "queue", "exchange")] == ["expired", q, ""]


def test_cycle_without_a_rejection_ends(ch: WireChannel, names: Names) -> None:
    other = names("other")
    q = declare(ch, names.q, dead_letter_exchange="", dead_letter_routing_key=other, message_ttl=20)
    declare(ch, other, dead_letter_exchange="", dead_letter_routing_key=q, message_ttl=20)
    ch.enqueue(q, b"a")
    ch.quiet(0.4)
    assert ch.drain(q) + ch.drain(other) == []


def test_cycle_with_a_rejection_goes_on(ch: WireChannel, names: Names) -> None:
    q, waiting = names.q, names("waiting")
    declare(ch, q, dead_letter_exchange="", dead_letter_routing_key=waiting)
    declare(ch, waiting, dead_letter_exchange="", dead_letter_routing_key=q, message_ttl=20)
    ch.enqueue(q, b"a")
    for times in range(4):
        eventually(ch, q, 1)
        ch >> Basic.get(queue=q)
        got = ch << Basic.get_ok(body=b"a")
        if times:
            assert {death["reason"]: death["count"] for death in deaths_of(got)} == {
                "rejected": times,
                "expired": times,
            }
        ch >> Basic.reject(delivery_tag=got.delivery_tag, requeue=False)


def test_purged_and_deleted_messages_are_not_dead_lettered(ch: WireChannel, names: Names) -> None:
    q, dead = dying(ch, names)
    ch.enqueue(q, b"a")
    ch.call(Queue.purge(queue=q))
    ch.enqueue(q, b"b")
    ch.call(Queue.delete(queue=q))
    ch.quiet(0.1)
    assert ch.drain(dead) == []


def test_many_rejected_at_once_keep_their_order(ch: WireChannel, names: Names) -> None:
    q, dead = dying(ch, names)
    bodies = [b"%d" % number for number in range(500)]
    ch.enqueue(q, *bodies)
    for _ in bodies:
        ch >> Basic.get(queue=q)
        ch << Basic.get_ok()
    ch >> Basic.nack(delivery_tag=0, multiple=True, requeue=False)
    eventually(ch, dead, len(bodies))
    assert ch.drain(dead) == bodies


def test_rejection_in_a_transaction_waits_for_the_commit(ch: WireChannel, names: Names) -> None:
    q, dead = dying(ch, names)
    ch.enqueue(q, b"a")
    ch.call(Tx.select())
    ch >> Basic.get(queue=q)
    ch >> Basic.reject(delivery_tag=(ch << Basic.get_ok()).delivery_tag, requeue=False)
    ch.quiet(0.1)
    assert ch.call(Queue.declare(queue=dead, passive=True)).message_count == 0
    ch.call(Tx.commit())
    eventually(ch, dead, 1)


# At least once


def waiting(ch: WireChannel, names: Names, **arguments: object) -> tuple[str, str]:
    """A queue that keeps its dead letters until somebody takes them, and the name of the one they are for."""
    dead = names("dead")
    q = declare(
        ch,
        names.q,
        True,
        queue_type="quorum",
        overflow="reject-publish",
        dead_letter_strategy="at-least-once",
        dead_letter_exchange="",
        dead_letter_routing_key=dead,
        **arguments,
    )
    return q, dead


def reject(ch: WireChannel, queue: str, *bodies: bytes) -> None:
    """Publish persistent messages, and reject them."""
    ch.enqueue(queue, *bodies, properties=PERSISTENT)
    for _ in bodies:
        ch >> Basic.get(queue=queue)
        ch >> Basic.reject(delivery_tag=(ch << Basic.get_ok()).delivery_tag, requeue=False)


@pytest.mark.rule("dlx", "at-least-once")
def test_dead_letters_that_need_not_wait_do_not(ch: WireChannel, names: Names) -> None:
    q, dead = waiting(ch, names)
    declare(ch, dead)
    reject(ch, q, b"a")
    got = fetched(ch, dead)
    assert (got.body, deaths_of(got)[0]["reason"]) == (b"a", "rejected")


@pytest.mark.rule("dlx", "at-least-once")
@pytest.mark.oracle_differs("tries again after three minutes")
def test_dead_letters_wait_for_a_queue(ch: WireChannel, names: Names) -> None:
    q, dead = waiting(ch, names, message_ttl=1)
    ch.enqueue(q, b"a", b"b", properties=PERSISTENT)
    eventually(ch, q, 0)
    declare(ch, dead)
    eventually(ch, dead, 2)
    assert ch.drain(dead) == [b"a", b"b"]


@pytest.mark.rule("dlx", "at-least-once")
@pytest.mark.oracle_differs("tries again after three minutes")
def test_dead_letters_wait_for_room(ch: WireChannel, names: Names) -> None:
    q, dead = waiting(ch, names)
    declare(ch, dead, max_length=1, overflow="reject-publish")
    reject(ch, q, b"a", b"b")
    assert fetched(ch, dead).body == b"a"
    assert fetched(ch, dead).body == b"b"


@pytest.mark.rule("dlx", "at-least-once")
def test_dead_letters_that_wait_take_room_from_publishers(ch: WireChannel, names: Names) -> None:
    q, _ = waiting(ch, names, max_length=1)
    reject(ch, q, b"a")
    ch.quiet(0.1)
    ch.call(Confirm.select())
    answers = []
    # RabbitMQ notices a little later that there is no room.
    for _ in range(3):
        ch.publish(b"b", q, properties=PERSISTENT)
        answers.append(ch.next().name)
    assert answers[-1] == "basic.nack"


@pytest.mark.oracle_differs("what waits there is not purged")
def test_dead_letters_that_wait_are_purged(ch: WireChannel, names: Names) -> None:
    q, dead = waiting(ch, names, max_length=1)
    reject(ch, q, b"a")
    ch.quiet(0.1)
    assert ch.call(Queue.purge(queue=q)).message_count == 0
    ch.enqueue(q, b"b", properties=PERSISTENT)
    assert ch.drain(q) == [b"b"]
    declare(ch, dead)
    ch.quiet(0.1)
    assert ch.drain(dead) == []


@pytest.mark.rule("dlx", "at-least-once")
def test_dead_letters_that_nobody_takes_are_lost_where_full_queues_drop(
    ch: WireChannel, names: Names
) -> None:
    dead = names("dead")
    arguments = {"queue_type": "quorum", "dead_letter_strategy": "at-least-once", "max_length": 1}
    q = declare(ch, names.q, True, dead_letter_exchange="", dead_letter_routing_key=dead, **arguments)
    reject(ch, q, b"a")
    ch.quiet(0.1)
    ch.enqueue(q, b"b", properties=PERSISTENT)
    assert ch.drain(q) == [b"b"]
