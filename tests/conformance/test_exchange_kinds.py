"""The exchange types of RabbitMQ's plugins: hashes, chance, and a memory for messages."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance.codec import Basic, Channel, Exchange, Method, Queue, Tx
from tests.conformance.names import Names
from tests.conformance.refusals import Row, check, declare, table
from tests.conformance.wire import Wire, WireChannel, properties_of

KEYS = [f"key-{number}" for number in range(100)]


def exchange(ch: WireChannel, name: str, kind: str, **arguments: object) -> str:
    """Declare an exchange with `hash_header="h"` and the like."""
    table = {name.replace("_", "-"): value for name, value in arguments.items()}
    ch.call(Exchange.declare(exchange=name, type=kind, arguments=table))
    return name


def bound(ch: WireChannel, names: Names, source: str, *weights: str) -> list[str]:
    """As many new queues, bound."""
    queues = [names(f"q-{number}") for number, _ in enumerate(weights)]
    for queue, weight in zip(queues, weights, strict=True):
        ch.call(Queue.declare(queue=queue))
        ch.call(Queue.bind(queue=queue, exchange=source, routing_key=weight))
    return queues


def bind(ch: WireChannel, queue: str, source: str) -> None:
    ch.call(Queue.declare(queue=queue))
    ch.call(Queue.bind(queue=queue, exchange=source))


def publish(ch: WireChannel, source: str, *bodies: bytes, key: str = "", **properties: Any) -> None:
    ch.enqueue(key, *bodies, exchange=source, properties=properties)


def publish_keys(ch: WireChannel, source: str) -> None:
    for key in KEYS:
        ch.publish(key.encode(), key, source)


def drained(ch: WireChannel, queues: list[str]) -> list[list[bytes]]:
    return [ch.drain(queue) for queue in queues]


def together(bodies: list[list[bytes]]) -> list[bytes]:
    return [body for each in bodies for body in each]


def declared(kind: str, **arguments: object) -> Method:
    table = {name.replace("_", "-"): value for name, value in arguments.items()}
    return Exchange.declare(exchange="$x", type=kind, arguments=table)


# Consistent hash


def weight_row(key: str, text: str) -> Row:
    """A binding key that is no weight."""
    act = Queue.bind(queue="$q", exchange="$x", routing_key=key)
    return Row(("consistent-hash", "weight"), act, 406, text, (declare(), declared("x-consistent-hash")))


def hash_row(text: str, **arguments: object) -> Row:
    """An exchange that cannot be."""
    return Row(("consistent-hash", "arguments"), declared("x-consistent-hash", **arguments), 406, text)


@table(
    weight_row("x", 'The binding key must be an integer: <<"x">>'),
    weight_row("", "The binding key must be an integer: <<>>"),
    weight_row("1.5", 'The binding key must be an integer: <<"1.5">>'),
    weight_row("0", "The binding key must be greater than 0"),
    weight_row("-1", "The binding key must be greater than 0"),
    hash_row(
        "hash-header and hash-property are mutually exclusive", hash_header="h", hash_property="message_id"
    ),
    hash_row("Unsupported property: user_id", hash_property="user_id"),
)
def test_refused_hash(row: Row, wire: Wire, ch: WireChannel, names: Names) -> None:
    check(row, wire, ch, names)


@pytest.mark.parametrize("weight", ["1", "01", "+2", "99"])
def test_weight_is_an_integer(weight: str, ch: WireChannel, names: Names) -> None:
    (queue,) = bound(ch, names, exchange(ch, names.x, "x-consistent-hash"), weight)
    publish(ch, names.x, b"a", key="k")
    assert ch.drain(queue) == [b"a"]


@pytest.mark.parametrize("kind", ["x-consistent-hash", "x-modulus-hash"])
def test_each_key_goes_to_one_queue_and_always_the_same(kind: str, ch: WireChannel, names: Names) -> None:
    queues = bound(ch, names, exchange(ch, names.x, kind), "1", "1", "1")
    publish_keys(ch, names.x)
    first = drained(ch, queues)
    assert all(len(bodies) > 10 for bodies in first)
    assert sorted(together(first)) == sorted(key.encode() for key in KEYS)
    publish_keys(ch, names.x)
    assert drained(ch, queues) == first


def test_jump_sends_each_key_to_one_queue(ch: WireChannel, names: Names) -> None:
    queues = bound(ch, names, exchange(ch, names.x, "x-consistent-hash", x_algorithm="jump"), "1", "2", "1")
    publish_keys(ch, names.x)
    first = drained(ch, queues)
    assert all(len(bodies) > 10 for bodies in first)
    assert len(together(first)) == len(KEYS)


def test_weight_is_the_share(ch: WireChannel, names: Names) -> None:
    light, heavy = bound(ch, names, exchange(ch, names.x, "x-consistent-hash"), "1", "20")
    publish_keys(ch, names.x)
    assert len(ch.drain(light)) < 20
    assert len(ch.drain(heavy)) > 80


@pytest.mark.parametrize(
    ("arguments", "properties"),
    [
        ({"hash_header": "h"}, [{"headers": {"h": key}} for key in KEYS]),
        pytest.param(
            {"x_hash_on": "h"},
            [{"headers": {"h": key}} for key in KEYS],
            marks=pytest.mark.oracle_differs("x-hash-on is LavinMQ's"),
        ),
        ({"hash_property": "message_id"}, [{"message_id": key} for key in KEYS]),
        ({"hash_property": "correlation_id"}, [{"correlation_id": key} for key in KEYS]),
        ({"hash_property": "timestamp"}, [{"timestamp": number} for number in range(100)]),
    ],
)
def test_key_may_be_elsewhere(
    arguments: dict[str, str], properties: list[dict[str, Any]], ch: WireChannel, names: Names
) -> None:
    queues = bound(ch, names, exchange(ch, names.x, "x-consistent-hash", **arguments), "1", "1")
    for number, each in enumerate(properties):
        ch.publish(b"%d" % number, "same", names.x, properties=each)
    first = drained(ch, queues)
    assert all(len(bodies) > 10 for bodies in first)
    for number, each in enumerate(properties):
        ch.publish(b"%d" % number, "other", names.x, properties=each)
    assert drained(ch, queues) == first


@pytest.mark.parametrize("kind", ["x-consistent-hash", "x-modulus-hash", "x-random"])
def test_copy_for_another_key_is_not_made(kind: str, ch: WireChannel, names: Names) -> None:
    queues = bound(ch, names, exchange(ch, names.x, kind), "1", "1", "1")
    publish(ch, names.x, *[b"m"] * 10, key="k", headers={"CC": KEYS})
    assert together(drained(ch, queues)) == [b"m"] * 10


@pytest.mark.parametrize("kind", ["x-consistent-hash", "x-modulus-hash", "x-random", "x-recent-history"])
def test_message_is_returned_where_nothing_is_bound(kind: str, ch: WireChannel, names: Names) -> None:
    exchange(ch, names.x, kind)
    ch.publish(b"a", "k", names.x, mandatory=True)
    ch << Basic.return_(body=b"a", reply_code=312)


@pytest.mark.parametrize("kind", ["x-consistent-hash", "x-modulus-hash", "x-random", "x-recent-history"])
def test_exchange_may_be_bound(kind: str, ch: WireChannel, names: Names) -> None:
    exchange(ch, names.x, kind)
    other = exchange(ch, names("x"), "fanout")
    ch.call(Exchange.bind(destination=other, source=names.x, routing_key="1"))
    (queue,) = bound(ch, names, other, "")
    publish(ch, names.x, b"a", key="k")
    assert ch.drain(queue) == [b"a"]


# Chance


def test_each_message_goes_to_any_one_queue(ch: WireChannel, names: Names) -> None:
    queues = bound(ch, names, exchange(ch, names.x, "x-random"), "", "", "")
    for number in range(100):
        ch.publish(b"%d" % number, "same", names.x)
    bodies = drained(ch, queues)
    assert all(len(each) > 10 for each in bodies)
    assert len(together(bodies)) == 100


# Recent history


def length_row(length: object, shown: str) -> Row:
    """A length that cannot be."""
    text = f"Invalid argument {shown}, 'x-recent-history-length' must be a positive integer"
    act = declared("x-recent-history", x_recent_history_length=length)
    return Row(("recent-history", "length"), act, 406, text)


@table(length_row(0, "0"), length_row(-1, "-1"), length_row("5", '<<"5">>'), length_row(True, "true"))
def test_refused_length(row: Row, wire: Wire, ch: WireChannel, names: Names) -> None:
    check(row, wire, ch, names)


def test_newly_bound_queue_gets_the_last_messages(ch: WireChannel, names: Names) -> None:
    exchange(ch, names.x, "x-recent-history")
    publish(ch, names.x, *[b"%d" % number for number in range(25)])
    bind(ch, names.q, names.x)
    publish(ch, names.x, b"new")
    assert ch.drain(names.q) == [*[b"%d" % number for number in range(5, 25)], b"new"]


def test_length_says_how_many_are_kept(ch: WireChannel, names: Names) -> None:
    exchange(ch, names.x, "x-recent-history", x_recent_history_length=2)
    publish(ch, names.x, b"1", b"2", b"3", key="news", headers={"mine": 1})
    bind(ch, names.q, names.x)
    ch >> Basic.get(queue=names.q, no_ack=True)
    got = ch << Basic.get_ok(exchange=names.x, routing_key="news", redelivered=False, body=b"2")
    assert properties_of(got) == {"headers": {"mine": 1}}
    assert ch.drain(names.q) == [b"3"]


def test_message_may_ask_not_to_be_kept(ch: WireChannel, names: Names) -> None:
    exchange(ch, names.x, "x-recent-history")
    bind(ch, names.q, names.x)
    publish(ch, names.x, b"1", headers={"x-recent-history-no-store": True})
    publish(ch, names.x, b"2", headers={"x-recent-history-no-store": False})
    later = names("q")
    bind(ch, later, names.x)
    assert ch.drain(names.q) == [b"1", b"2"]
    assert ch.drain(later) == [b"2"]


def test_equal_binding_brings_nothing_again(ch: WireChannel, names: Names) -> None:
    exchange(ch, names.x, "x-recent-history")
    publish(ch, names.x, b"1")
    bind(ch, names.q, names.x)
    bind(ch, names.q, names.x)
    assert ch.drain(names.q) == [b"1"]


def test_persistent_messages_are_kept_for_durable_queues(ch: WireChannel, names: Names) -> None:
    exchange(ch, names.x, "x-recent-history")
    for queue in (names.q, names("q")):
        ch.call(Queue.declare(queue=queue, durable=True))
        ch.call(Queue.bind(queue=queue, exchange=names.x))
        publish(ch, names.x, b"a", delivery_mode=2)
    assert ch.drain(names.q) == [b"a", b"a"]
    assert ch.drain(names.used[-1]) == [b"a", b"a"]


def test_message_that_came_by_another_exchange_is_kept(ch: WireChannel, names: Names) -> None:
    exchange(ch, names.x, "x-recent-history")
    other = exchange(ch, names("x"), "direct")
    ch.call(Exchange.bind(destination=names.x, source=other, routing_key="k"))
    publish(ch, other, b"1", key="k")
    publish(ch, other, b"2", key="elsewhere")
    publish(ch, other, b"3", key="elsewhere", headers={"CC": ["k"]})
    bind(ch, names.q, names.x)
    assert ch.drain(names.q) == [b"1", b"3"]


def test_dead_letter_is_kept(ch: WireChannel, names: Names) -> None:
    exchange(ch, names.x, "x-recent-history")
    dying = names("q")
    ch.call(Queue.declare(queue=dying, arguments={"x-dead-letter-exchange": names.x, "x-message-ttl": 0}))
    early = names("q")
    bind(ch, early, names.x)
    ch.call(Basic.consume(queue=early, no_ack=True, consumer_tag="c"))
    ch.publish(b"dead", dying)
    assert ch.bodies(1) == [b"dead"]
    bind(ch, names.q, names.x)
    assert ch.drain(names.q) == [b"dead"]


@pytest.mark.oracle_differs("what a transaction publishes is kept before it is committed, or if it never is")
def test_transaction_is_kept_when_it_is_committed(ch: WireChannel, wire: Wire, names: Names) -> None:
    exchange(ch, names.x, "x-recent-history")
    transactional = wire.channel()
    transactional.call(Tx.select())
    transactional.publish(b"never", "", names.x).call(Tx.rollback())
    transactional.publish(b"1", "", names.x).publish(b"2", "", names.x, properties={"message_id": "m"})
    transactional.call(Queue.declare(queue=names.q))
    transactional.call(Queue.bind(queue=names.q, exchange=names.x))
    assert ch.drain(names.q) == []
    transactional.call(Tx.commit())
    later = names("q")
    bind(ch, later, names.x)
    assert ch.drain(later) == [b"1", b"2"]
    transactional.call(Channel.close())
