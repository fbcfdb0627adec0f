"""Publishing: returns, properties octet by octet, and sender-selected distribution (CC and BCC)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest
from tests.conformance.codec import (
    Basic,
    Confirm,
    Exchange,
    Queue,
    Typed,
    encode_properties,
    longstr,
    shortstr,
)
from tests.conformance.names import Names
from tests.conformance.wire import WireChannel, properties_of

ALL_PROPERTIES: dict[str, Any] = {
    "content_type": "text/plain",
    "content_encoding": "gzip",
    "headers": {"h": 1},
    "delivery_mode": 2,
    "priority": 9,
    "correlation_id": "correlation",
    "reply_to": "reply",
    "expiration": "60000",
    "message_id": "message",
    "timestamp": 2**40,
    "type": "type",
    "user_id": "guest",
    "app_id": "app",
    "cluster_id": "cluster",
}
EVERY_TYPE: dict[str, Any] = {
    "t": True,
    "b": Typed("b", -128),
    "B": Typed("B", 255),
    "s": Typed("s", -32768),
    "u": Typed("u", 65535),
    "I": Typed("I", -(2**31)),
    "i": Typed("i", 2**32 - 1),
    "l": Typed("l", -(2**63)),
    "f": Typed("f", 1.5),
    "d": 2.25,
    "D": Typed("D", (2, -314)),
    "S": "text é",
    "S-octets": Typed("S", b"\xff\x00\xfe"),
    "S-empty": "",
    "A": [1, "two", [3.0, {"four": None}], Typed("u", 5)],
    "A-empty": [],
    "T": Typed("T", 2**40),
    "F": {"nested": {"deeper": {"deepest": True}}},
    "F-empty": {},
    "V": None,
    "x": b"\x00\x01\xff",
    "": "empty name",
    "n" * 255: "long name",
}


def delivered_properties(ch: WireChannel, queue: str) -> bytes:
    ch >> Basic.get(queue=queue, no_ack=True)
    received = ch << Basic.get_ok()
    assert isinstance(received.properties, bytes)
    return received.properties


@pytest.mark.rule("basic", "properties")
@pytest.mark.parametrize("name", ALL_PROPERTIES)
def test_each_property_arrives_alone(name: str, ch: WireChannel, q: str) -> None:
    octets = encode_properties({name: ALL_PROPERTIES[name]})
    ch.publish(b"m", q, properties=octets)
    assert delivered_properties(ch, q) == octets


@pytest.mark.rule("basic", "properties")
def test_all_properties_arrive_together_and_none_when_none_was_sent(ch: WireChannel, q: str) -> None:
    for properties in (ALL_PROPERTIES, {}):
        octets = encode_properties(properties)
        ch.publish(b"m", q, properties=octets)
        assert delivered_properties(ch, q) == octets


@pytest.mark.rule("basic", "properties")
def test_properties_may_be_empty_strings_and_zeros(ch: WireChannel, q: str) -> None:
    empty = {"content_type": "", "headers": {}, "delivery_mode": 1, "priority": 0, "timestamp": 0, "type": ""}
    octets = encode_properties(empty)
    ch.publish(b"m", q, properties=octets)
    assert delivered_properties(ch, q) == octets


@pytest.mark.rule("basic", "headers")
@pytest.mark.parametrize("name", EVERY_TYPE, ids=lambda name: name[:8] or "empty")
def test_header_of_each_type_arrives_octet_by_octet(name: str, ch: WireChannel, q: str) -> None:
    octets = encode_properties({"headers": {name: EVERY_TYPE[name]}})
    ch.publish(b"m", q, properties=octets)
    assert delivered_properties(ch, q) == octets


@pytest.mark.rule("basic", "headers")
def test_headers_of_all_types_keep_their_order_and_octets(ch: WireChannel, q: str) -> None:
    octets = encode_properties({"headers": EVERY_TYPE, "message_id": "after the headers"})
    ch.publish(b"m", q, properties=octets)
    assert delivered_properties(ch, q) == octets


@pytest.mark.rule("basic", "headers")
@pytest.mark.oracle_differs(
    "writes 'L' as 'l' and drops the second of two equal names where it rewrites headers"
)
def test_headers_are_not_rewritten(ch: WireChannel, q: str) -> None:
    fields = shortstr("L") + b"L" + struct.pack(">q", -5) + (shortstr("twice") + b"t\x01") * 2
    octets = struct.pack(">H", 1 << 13) + longstr(fields)
    ch.publish(b"m", q, properties=octets)
    assert delivered_properties(ch, q) == octets


@pytest.mark.rule("basic.publish", "mandatory")
def test_unroutable_mandatory_message_comes_back_whole(ch: WireChannel, names: Names) -> None:
    octets = encode_properties(ALL_PROPERTIES | {"headers": EVERY_TYPE})
    body = bytes(range(256)) * 1000
    ch.publish(body, names.q, exchange="amq.direct", mandatory=True, properties=octets)
    ch << Basic.return_(
        reply_code=312,
        reply_text="NO_ROUTE",
        exchange="amq.direct",
        routing_key=names.q,
        body=body,
        properties=octets,
    )


@pytest.mark.rule("basic.publish", "mandatory")
def test_routable_mandatory_message_does_not_come_back(ch: WireChannel, q: str) -> None:
    ch.publish(b"stays", q, mandatory=True)
    assert ch.drain(q) == [b"stays"]


@pytest.mark.rule("basic.publish", "mandatory")
def test_unroutable_message_without_mandatory_vanishes(ch: WireChannel, names: Names) -> None:
    ch.publish(b"lost", names.q)
    ch.call(Basic.qos())
    ch.quiet()


@pytest.mark.rule("basic.return", "order")
def test_return_precedes_the_confirm_of_its_message(ch: WireChannel, names: Names) -> None:
    ch.call(Confirm.select())
    ch.publish(b"a", names.q, mandatory=True).publish(b"b", names.q, mandatory=True)
    returned: list[bytes | None] = []
    confirmed = 0
    while confirmed < 2:  # one confirm may stand for both, when a broker reads both at once
        method = ch.next()
        if method.name == "basic.return":
            returned.append(method.body)
        else:
            assert method.name == "basic.ack"
            confirmed = method.fields["delivery_tag"]
            assert len(returned) >= confirmed
    assert returned == [b"a", b"b"]


@pytest.mark.rule("basic.publish", "order")
def test_messages_of_one_channel_arrive_in_order_whatever_their_way(
    ch: WireChannel, q: str, names: Names
) -> None:
    ch.call(Exchange.declare(exchange=names.x, type="fanout"))
    ch.call(Queue.bind(queue=q, exchange=names.x))
    sent = [b"%d" % number for number in range(100)]
    for number, body in enumerate(sent):
        if number % 2:
            ch.publish(body, q, properties={"delivery_mode": 1 + number % 3 % 2})
        else:
            ch.publish(body, exchange=names.x)
    assert ch.drain(q) == sent


@pytest.mark.rule("basic.publish", "body")
@pytest.mark.parametrize("size", [1, 131063, 131064, 131065, 3_000_000], ids=str)
def test_bodies_of_any_size_arrive(size: int, ch: WireChannel, q: str) -> None:
    body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    ch.publish(body, q)
    assert ch.drain(q) == [body]


@pytest.mark.rule("basic.publish", "expiration")
@pytest.mark.parametrize("expiration", ["0", "60000", "315360000000"])
def test_valid_expirations_are_accepted(expiration: str, ch: WireChannel, names: Names) -> None:
    ch.publish(b"m", names.q, properties={"expiration": expiration})
    ch.call(Basic.qos())


Queues = Callable[[int], list[str]]


@pytest.fixture
def queues(ch: WireChannel, names: Names) -> Queues:
    """Declares as many queues as are asked for."""

    def declare(count: int) -> list[str]:
        return [ch.call(Queue.declare(queue=names())).queue for _ in range(count)]

    return declare


@pytest.mark.rule("basic.publish", "cc")
def test_cc_and_bcc_are_further_routing_keys(ch: WireChannel, queues: Queues) -> None:
    to, copy, blind = queues(3)
    ch.publish(b"m", to, properties={"headers": {"CC": [copy], "BCC": [blind], "other": 1}})
    for queue in (to, copy, blind):
        ch >> Basic.get(queue=queue, no_ack=True)
        received = ch << Basic.get_ok(routing_key=to, body=b"m")
        assert properties_of(received)["headers"] == {"CC": [copy], "other": 1}


@pytest.mark.rule("basic.publish", "cc")
def test_queue_that_several_keys_name_gets_one_copy(ch: WireChannel, queues: Queues) -> None:
    to, copy = queues(2)
    ch.publish(b"m", to, properties={"headers": {"CC": [to, copy, copy], "BCC": [to, copy]}})
    assert (ch.drain(to), ch.drain(copy)) == ([b"m"], [b"m"])


@pytest.mark.rule("basic.publish", "cc")
def test_cc_works_through_any_exchange(ch: WireChannel, queues: Queues, names: Names) -> None:
    first, second = queues(2)
    ch.call(Exchange.declare(exchange=names.x, type="topic"))
    ch.call(Queue.bind(queue=first, exchange=names.x, routing_key="a.*"))
    ch.call(Queue.bind(queue=second, exchange=names.x, routing_key="b.#"))
    ch.publish(b"m", "none", exchange=names.x, properties={"headers": {"CC": ["a.x"], "BCC": ["b.x"]}})
    assert (ch.drain(first), ch.drain(second)) == ([b"m"], [b"m"])


@pytest.mark.rule("basic.publish", "cc")
def test_mandatory_message_is_returned_only_when_no_key_finds_a_queue(
    ch: WireChannel, queues: Queues, names: Names
) -> None:
    (copy,) = queues(1)
    headers = {"headers": {"CC": [copy]}}
    ch.publish(b"found", names.q, mandatory=True, properties=headers)
    headers = {"headers": {"CC": [names.q + "x"], "BCC": [names.q + "y"]}}
    ch.publish(b"lost", names.q, mandatory=True, properties=headers)
    ch << Basic.return_(body=b"lost", routing_key=names.q)
    assert ch.drain(copy) == [b"found"]


@pytest.mark.rule("basic.publish", "cc")
@pytest.mark.parametrize("headers", [{"CC": []}, {"BCC": []}, {"cc": "x", "bcc": "y"}], ids=str)
def test_empty_lists_and_lower_case_names_do_nothing(
    headers: dict[str, Any], ch: WireChannel, queues: Queues
) -> None:
    (to,) = queues(1)
    ch.publish(b"m", to, properties={"headers": headers})
    assert ch.drain(to) == [b"m"]
