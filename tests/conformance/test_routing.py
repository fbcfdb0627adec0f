"""Exchange types: which binding takes which routing key and which headers."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance.codec import Exchange, Queue, Typed
from tests.conformance.names import Names
from tests.conformance.wire import WireChannel


@pytest.mark.rule("exchange.declare", "direct")
def test_direct_exchange_compares_octets(ch: WireChannel, q: str, names: Names) -> None:
    ch.call(Exchange.declare(exchange=names.x, type="direct"))
    ch.call(Queue.bind(queue=q, exchange=names.x, routing_key="k.*"))
    for key in ("k.*", "k.a", "K.*", "k.", ""):
        ch.publish(key.encode(), key, exchange=names.x)
    assert ch.drain(q) == [b"k.*"]


@pytest.mark.rule("exchange.declare", "fanout")
def test_fanout_exchange_ignores_the_key(ch: WireChannel, q: str, names: Names) -> None:
    second = names()
    ch.call(Queue.declare(queue=second))
    ch.call(Exchange.declare(exchange=names.x, type="fanout"))
    ch.call(Queue.bind(queue=q, exchange=names.x, routing_key="k"))
    ch.call(Queue.bind(queue=second, exchange=names.x))
    for key in ("k", "", "other"):
        ch.publish(key.encode(), key, exchange=names.x)
    assert ch.drain(q) == ch.drain(second) == [b"k", b"", b"other"]


KEYS = (
    "",
    ".",
    "..",
    "a",
    "a.",
    ".a",
    "a.b",
    "a..b",
    "a.b.c",
    "a.a.b",
    "b",
    "b.a",
    "a.x.y.b",
    "*",
    "#",
    "a.#",
)
LONG = ".".join("ab" * 14)
TOPIC = {
    "": ("",),
    "#": KEYS,
    "##": (),
    "*": ("a", "b", "*", "#"),
    ".": (".",),
    "*.*": (".", "a.", ".a", "a.b", "b.a", "a.#"),
    "#.*": tuple(key for key in KEYS if key),
    "*.#": tuple(key for key in KEYS if key),
    "#.#": KEYS,
    "#.a": ("a", ".a", "b.a"),
    "a.#": ("a", "a.", "a.b", "a..b", "a.b.c", "a.a.b", "a.x.y.b", "a.#"),
    "a.*": ("a.", "a.b", "a.#"),
    "*.a": (".a", "b.a"),
    "a.*.b": ("a..b", "a.a.b"),
    "a.#.b": ("a.b", "a..b", "a.a.b", "a.x.y.b"),
    "a.#.#.b": ("a.b", "a..b", "a.a.b", "a.x.y.b"),
    "a.#.*.b": ("a..b", "a.a.b", "a.x.y.b"),
    "#.b.#": ("a.b", "a..b", "a.b.c", "a.a.b", "b", "b.a", "a.x.y.b"),
    "#.*.*": (".", "..", "a.", ".a", "a.b", "a..b", "a.b.c", "a.a.b", "b.a", "a.x.y.b", "a.#"),
    "a": ("a",),
    "a.b": ("a.b",),
    "a..b": ("a..b",),
    "A": (),
}


@pytest.mark.rule("exchange.declare", "topic")
@pytest.mark.parametrize("binding_key", TOPIC, ids=repr)
def test_topic_pattern_takes_these_keys(binding_key: str, ch: WireChannel, q: str, names: Names) -> None:
    ch.call(Exchange.declare(exchange=names.x, type="topic"))
    ch.call(Queue.bind(queue=q, exchange=names.x, routing_key=binding_key))
    for key in KEYS:
        ch.publish(key.encode(), key, exchange=names.x)
    assert tuple(body.decode() for body in ch.drain(q)) == TOPIC[binding_key]


@pytest.mark.rule("exchange.declare", "topic")
def test_all_patterns_together_do_not_disturb_each_other(ch: WireChannel, names: Names) -> None:
    ch.call(Exchange.declare(exchange=names.x, type="topic"))
    queues = {pattern: ch.call(Queue.declare(exclusive=True)).queue for pattern in TOPIC}
    for pattern, queue in queues.items():
        ch.call(Queue.bind(queue=queue, exchange=names.x, routing_key=pattern))
    gone = ["a.#", "*", "#.b.#"]
    for pattern in gone:
        ch.call(Queue.unbind(queue=queues[pattern], exchange=names.x, routing_key=pattern))
    for key in KEYS:
        ch.publish(key.encode(), key, exchange=names.x)
    for pattern, queue in queues.items():
        expected = () if pattern in gone else TOPIC[pattern]
        assert tuple(body.decode() for body in ch.drain(queue)) == expected, pattern


@pytest.mark.rule("exchange.declare", "topic")
def test_keys_of_28_words_find_their_binding(ch: WireChannel, q: str, names: Names) -> None:
    ch.call(Exchange.declare(exchange=names.x, type="topic"))
    ch.call(Queue.bind(queue=q, exchange=names.x, routing_key=".".join("*b" * 14)))
    ch.call(Queue.bind(queue=q, exchange=names.x, routing_key="#.b.#.b.#.b.#.b.#.b.#.b.#.x"))
    ch.publish(b"yes", LONG, exchange=names.x).publish(b"no", LONG[:-2], exchange=names.x)
    ch.publish(b"x", LONG + ".x", exchange=names.x)
    assert ch.drain(q) == [b"yes", b"x"]


@pytest.mark.rule("exchange.declare", "topic")
def test_queue_bound_with_several_patterns_gets_one_copy(ch: WireChannel, q: str, names: Names) -> None:
    ch.call(Exchange.declare(exchange=names.x, type="topic"))
    for pattern in ("a.*", "a.#", "*.b", "a.b"):
        ch.call(Queue.bind(queue=q, exchange=names.x, routing_key=pattern))
    ch.publish(b"once", "a.b", exchange=names.x)
    assert ch.drain(q) == [b"once"]


Headers = dict[str, Any]
AB: Headers = {"a": 1, "b": "x"}
HEADERS: list[tuple[str, Headers, Headers | None, bool]] = [
    ("all needs every pair", AB, {"a": 1, "b": "x", "c": 3}, True),
    ("all needs every pair", AB, {"a": 1}, False),
    ("all needs every pair", AB, {"a": 1, "b": "y"}, False),
    ("explicit all", {"x-match": "all", **AB}, {"a": 1}, False),
    ("any needs one pair", {"x-match": "any", **AB}, {"b": "x"}, True),
    ("any needs one pair", {"x-match": "any", **AB}, {"a": 2, "b": "y"}, False),
    ("all of nothing", {}, {"a": 1}, True),
    ("all of nothing, no headers at all", {}, None, True),
    ("any of nothing", {"x-match": "any"}, {"a": 1}, False),
    ("any of nothing, no headers at all", {"x-match": "any"}, None, False),
    ("no headers at all", AB, None, False),
    ("all ignores x-", {"x-match": "all", "x-a": 1, "b": 2}, {"b": 2}, True),
    ("any ignores x-", {"x-match": "any", "x-a": 1, "b": 2}, {"x-a": 1}, False),
    ("all-with-x compares x-", {"x-match": "all-with-x", "x-a": 1, "b": 2}, {"b": 2}, False),
    ("all-with-x compares x-", {"x-match": "all-with-x", "x-a": 1, "b": 2}, {"b": 2, "x-a": 1}, True),
    ("any-with-x compares x-", {"x-match": "any-with-x", "x-a": 1, "b": 2}, {"x-a": 1}, True),
    ("all-with-x ignores x-match itself", {"x-match": "all-with-x", "a": 1}, {"a": 1}, True),
    ("any-with-x ignores x-match itself", {"x-match": "any-with-x"}, {"x-match": "any-with-x"}, False),
    ("void means present", {"a": None}, {"a": "anything"}, True),
    ("void means present", {"a": None}, {"a": None}, True),
    ("void means present", {"a": None}, {"b": 1}, False),
    ("void in the message is a value", {"a": 1}, {"a": None}, False),
    ("integers of any width", {"a": Typed("I", 5)}, {"a": Typed("b", 5)}, True),
    ("integers of any width", {"a": Typed("l", 5)}, {"a": Typed("u", 5)}, True),
    ("integer is no string", {"a": 5}, {"a": "5"}, False),
    ("float equals float", {"a": 2.5}, {"a": 2.5}, True),
    ("true is not one", {"a": True}, {"a": 1}, False),
    ("booleans", {"a": True}, {"a": True}, True),
    ("strings compare octets", {"a": "X"}, {"a": "x"}, False),
    ("tables", {"a": {"n": 1}}, {"a": {"n": 1}}, True),
    ("tables", {"a": {"n": 1}}, {"a": {"n": 2}}, False),
    ("arrays", {"a": [1, "x"]}, {"a": [1, "x"]}, True),
    ("arrays", {"a": [1, "x"]}, {"a": ["x", 1]}, False),
    ("names compare octets", {"a": 1}, {"A": 1}, False),
]


@pytest.mark.rule("exchange.declare", "headers")
@pytest.mark.parametrize(("claim", "binding", "headers", "is_taken"), HEADERS, ids=str)
def test_headers_binding(
    claim: str,
    binding: Headers,
    headers: Headers | None,
    is_taken: bool,
    ch: WireChannel,
    q: str,
    names: Names,
) -> None:
    ch.call(Exchange.declare(exchange=names.x, type="headers"))
    ch.call(Queue.bind(queue=q, exchange=names.x, routing_key="ignored", arguments=binding))
    properties = {} if headers is None else {"headers": headers}
    ch.publish(b"m", "whatever", exchange=names.x, properties=properties)
    assert ch.drain(q) == [b"m"] * is_taken, claim


@pytest.mark.rule("exchange.declare", "headers")
def test_queue_with_two_matching_headers_bindings_gets_one_copy(
    ch: WireChannel, q: str, names: Names
) -> None:
    ch.call(Exchange.declare(exchange=names.x, type="headers"))
    ch.call(Queue.bind(queue=q, exchange=names.x, arguments={"a": 1}))
    ch.call(Queue.bind(queue=q, exchange=names.x, arguments={"b": 1}))
    ch.publish(b"once", exchange=names.x, properties={"headers": {"a": 1, "b": 1}})
    assert ch.drain(q) == [b"once"]
    ch.call(Queue.unbind(queue=q, exchange=names.x, arguments={"a": 1}))
    ch.publish(b"one", exchange=names.x, properties={"headers": {"a": 1}})
    ch.publish(b"two", exchange=names.x, properties={"headers": {"b": 1}})
    assert ch.drain(q) == [b"two"]


@pytest.mark.rule("basic.publish", "bindings")
@pytest.mark.parametrize("type_", ["direct", "fanout", "topic", "headers"])
def test_binding_counts_from_the_very_next_message_on(
    type_: str, ch: WireChannel, q: str, names: Names
) -> None:
    ch.call(Exchange.declare(exchange=names.x, type=type_))
    for number in range(10):
        ch.publish(b"unbound", "k", exchange=names.x)
        ch.call(Queue.bind(queue=q, exchange=names.x, routing_key="k"))
        ch.publish(b"%d" % number, "k", exchange=names.x)
        ch.call(Queue.unbind(queue=q, exchange=names.x, routing_key="k"))
    assert ch.drain(q) == [b"%d" % number for number in range(10)]
