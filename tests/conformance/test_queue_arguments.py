"""Queue arguments: which values are valid, and which redeclarations are the same queue."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance.codec import IDS, Queue, Typed
from tests.conformance.names import Names
from tests.conformance.wire import WireChannel, channel_closed

OTHER_TYPE = "invalid arg '{}' for queue '{}' in vhost '/' of queue type rabbit_{}_queue"
TEN_YEARS_MS = 315_360_000_000

VALID: list[dict[str, Any]] = [
    {"x-message-ttl": 0},
    {"x-message-ttl": TEN_YEARS_MS},
    {"x-expires": 1},
    {"x-max-length": 0},
    {"x-max-length": Typed("B", 200)},
    {"x-max-length-bytes": 0},
    {"x-max-priority": 0},
    {"x-max-priority": 255},
    {"x-overflow": "drop-head"},
    {"x-overflow": "reject-publish"},
    {"x-overflow": "reject-publish-dlx"},
    {"x-dead-letter-exchange": ""},
    {"x-dead-letter-exchange": "later", "x-dead-letter-routing-key": "k"},
    {"x-single-active-consumer": True},
    {"x-queue-type": "classic"},
    {"x-queue-mode": "lazy"},
    {"x-queue-mode": "default"},
    {"x-queue-version": 1},
    {"x-queue-version": 2},
    {"x-queue-master-locator": "min-masters"},
    {"x-consumer-timeout": 5},
    {"x-anything": {"nested": [1, None]}},
]
VALID_DURABLE: list[dict[str, Any]] = [
    {"x-queue-type": "quorum"},
    {"x-queue-type": "quorum", "x-delivery-limit": 3, "x-message-ttl": 5, "x-single-active-consumer": True},
    {"x-queue-type": "quorum", "x-dead-letter-exchange": "d", "x-dead-letter-strategy": "at-least-once"},
    {"x-queue-type": "quorum", "x-quorum-initial-group-size": 1, "x-queue-leader-locator": "balanced"},
]
INVALID: list[tuple[dict[str, Any], str]] = [
    ({"x-message-ttl": "1000"}, '"expected integer, got longstr"'),
    ({"x-message-ttl": 1.5}, '"expected integer, got double"'),
    ({"x-message-ttl": True}, '"expected integer, got bool"'),
    ({"x-message-ttl": None}, '"expected integer, got void"'),
    ({"x-message-ttl": -1}, "{value_negative,-1}"),
    ({"x-message-ttl": TEN_YEARS_MS + 1}, f"{{value_too_large,{TEN_YEARS_MS + 1}}}"),
    ({"x-expires": 0}, "{value_zero,0}"),
    ({"x-expires": -1}, "{value_negative,-1}"),
    ({"x-expires": "1"}, '"expected integer, got longstr"'),
    ({"x-expires": TEN_YEARS_MS + 1}, f"{{value_too_large,{TEN_YEARS_MS + 1}}}"),
    ({"x-max-length": -1}, "{value_negative,-1}"),
    ({"x-max-length": "1"}, '"expected integer, got longstr"'),
    ({"x-max-length-bytes": -1}, "{value_negative,-1}"),
    ({"x-max-priority": -1}, "{value_negative,-1}"),
    ({"x-max-priority": 256}, "{max_value_exceeded,256}"),
    ({"x-max-priority": "5"}, '"expected integer, got longstr"'),
    ({"x-overflow": "bogus"}, "invalid_overflow"),
    ({"x-overflow": 1}, "{unacceptable_type,signedint}"),
    ({"x-dead-letter-routing-key": "k"}, "routing_key_but_no_dlx_defined"),
    ({"x-dead-letter-routing-key": 3, "x-dead-letter-exchange": "d"}, "{unacceptable_type,signedint}"),
    ({"x-single-active-consumer": "yes"}, "{unacceptable_type,longstr}"),
    ({"x-queue-mode": "bogus"}, "\"unsupported queue mode 'bogus'\""),
    ({"x-queue-mode": 3}, "{unacceptable_type,signedint}"),
    ({"x-queue-version": 3}, "\"unsupported queue version '3'\""),
    ({"x-queue-version": "1"}, '"expected integer, got longstr"'),
    ({"x-queue-type": "foo"}, "\"unsupported queue type 'foo'\""),
    ({"x-queue-type": 3}, "{unacceptable_type,signedint}"),
]
OF_ANOTHER_TYPE: list[tuple[str, str, Any]] = [
    ("classic", "x-delivery-limit", 3),
    ("classic", "x-dead-letter-strategy", "at-least-once"),
    ("classic", "x-max-age", "1D"),
    ("classic", "x-quorum-initial-group-size", 3),
    ("classic", "x-max-in-memory-length", 5),
    ("classic", "x-stream-max-segment-size-bytes", 5),
    ("quorum", "x-max-priority", 5),
    ("quorum", "x-queue-mode", "lazy"),
    ("quorum", "x-max-age", "1D"),
]
INVALID_PROPERTIES: list[tuple[str, dict[str, bool], str]] = [
    ("quorum", {}, "non-durable"),
    ("quorum", {"durable": True, "exclusive": True}, "exclusive-owner"),
    ("quorum", {"durable": True, "auto_delete": True}, "auto-delete"),
]


def refused(ch: WireChannel, text: str) -> None:
    ch << channel_closed(406, text, *IDS["queue.declare"])


@pytest.mark.rule("queue.declare", "arguments")
@pytest.mark.parametrize("arguments", VALID, ids=str)
def test_valid_arguments_are_accepted_again_and_again(
    arguments: dict[str, Any], ch: WireChannel, names: Names
) -> None:
    for _ in range(2):
        ch.call(Queue.declare(queue=names.q, arguments=arguments))


@pytest.mark.rule("queue.declare", "arguments")
@pytest.mark.parametrize("arguments", VALID_DURABLE, ids=str)
def test_arguments_of_replicated_queues_are_accepted(
    arguments: dict[str, Any], ch: WireChannel, names: Names
) -> None:
    for _ in range(2):
        ch.call(Queue.declare(queue=names.q, durable=True, arguments=arguments))


@pytest.mark.rule("queue.declare", "arguments")
@pytest.mark.oracle_differs("has streams; a classic queue under that name would be a lie")
def test_streams_are_refused(ch: WireChannel, names: Names) -> None:
    ch >> Queue.declare(queue=names.q, durable=True, arguments={"x-queue-type": "stream"})
    reason = "\"unsupported queue type 'stream'\""
    refused(ch, f"invalid arg 'x-queue-type' for queue '{names.q}' in vhost '/': {reason}")


@pytest.mark.rule("queue.declare", "arguments")
@pytest.mark.parametrize(("arguments", "reason"), INVALID, ids=str)
def test_invalid_arguments_are_refused_with_their_reason(
    arguments: dict[str, Any], reason: str, ch: WireChannel, names: Names
) -> None:
    ch >> Queue.declare(queue=names.q, arguments=arguments)
    refused(ch, f"invalid arg '{next(iter(arguments))}' for queue '{names.q}' in vhost '/': {reason}")


@pytest.mark.rule("queue.declare", "arguments")
def test_dead_letter_exchange_that_is_no_string_has_its_own_text(ch: WireChannel, names: Names) -> None:
    ch >> Queue.declare(queue=names.q, arguments={"x-dead-letter-exchange": 3})
    text = f"invalid type 'signedint' for arg 'x-dead-letter-exchange' in queue '{names.q}' in vhost '/'"
    refused(ch, text)


@pytest.mark.rule("queue.declare", "arguments")
@pytest.mark.parametrize(("kind", "name", "value"), OF_ANOTHER_TYPE)
def test_arguments_of_another_queue_type_are_refused(
    kind: str, name: str, value: Any, ch: WireChannel, names: Names
) -> None:
    arguments = {"x-queue-type": kind, name: value}
    ch >> Queue.declare(queue=names.q, durable=True, arguments=arguments)
    refused(ch, OTHER_TYPE.format(name, names.q, kind))


@pytest.mark.rule("queue.declare", "arguments")
@pytest.mark.parametrize(("kind", "flags", "name"), INVALID_PROPERTIES)
def test_replicated_queues_are_durable_shared_and_permanent(
    kind: str, flags: dict[str, bool], name: str, ch: WireChannel, names: Names
) -> None:
    ch >> Queue.declare(queue=names.q, arguments={"x-queue-type": kind}, **flags)
    refused(ch, f"invalid property '{name}' for queue '{names.q}' in vhost '/'")


@pytest.mark.rule("queue.declare", "arguments")
@pytest.mark.oracle_differs("3.10 refuses it on classic queues; 4.x accepts it")
def test_leader_locator_is_accepted_on_classic_queues(ch: WireChannel, names: Names) -> None:
    ch.call(Queue.declare(queue=names.q, arguments={"x-queue-leader-locator": "balanced"}))


SAME: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"x-max-length": Typed(one, 5)}, {"x-max-length": Typed(other, 5)})
    for one, other in (("b", "l"), ("B", "u"), ("s", "I"), ("i", "L"), ("I", "T"))
] + [
    ({}, {"x-queue-type": "classic"}),
    ({"x-queue-type": "classic"}, {}),
    ({}, {"x-foo": 1}),
    ({"x-foo": 1}, {}),
    ({"x-foo": 1}, {"x-foo": "other"}),
    ({}, {"x-delivery-limit": 3}),
    ({"x-dead-letter-exchange": "a"}, {"x-dead-letter-exchange": b"a"}),
]
NONE = "of type '{}' but current is none"
DIFFERENT: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"x-queue-mode": "default"}, "received the value 'default' " + NONE.format("longstr")),
    ({}, {"x-queue-version": 1}, "received the value '1' " + NONE.format("signedint")),
    ({}, {"x-overflow": "drop-head"}, "received the value 'drop-head' " + NONE.format("longstr")),
    (
        {},
        {"x-single-active-consumer": False},
        "received the value 'false' " + NONE.format("bool"),
    ),
    ({}, {"x-queue-type": "quorum"}, "received the value 'quorum' " + NONE.format("longstr")),
    ({}, {"x-dead-letter-exchange": ""}, "received the value '' " + NONE.format("longstr")),
    ({}, {"x-expires": 60000}, "received the value '60000' " + NONE.format("signedint")),
    ({"x-max-priority": 5}, {"x-max-priority": 6}, "received '6' but current is '5'"),
    ({"x-queue-mode": "lazy"}, {"x-queue-mode": "default"}, "received 'default' but current is 'lazy'"),
]


@pytest.mark.rule("queue.declare", "equivalence")
@pytest.mark.parametrize(("before", "after"), SAME, ids=str)
def test_redeclaration_that_means_the_same_is_accepted(
    before: dict[str, Any], after: dict[str, Any], ch: WireChannel, names: Names
) -> None:
    ch.call(Queue.declare(queue=names.q, arguments=before))
    ch.call(Queue.declare(queue=names.q, arguments=after))


@pytest.mark.rule("queue.declare", "equivalence")
@pytest.mark.parametrize(("before", "after", "difference"), DIFFERENT, ids=str)
def test_redeclaration_that_means_something_else_is_refused(
    before: dict[str, Any], after: dict[str, Any], difference: str, ch: WireChannel, names: Names
) -> None:
    ch.call(Queue.declare(queue=names.q, arguments=before))
    ch >> Queue.declare(queue=names.q, arguments=after)
    argument = next(iter(after))
    refused(ch, f"inequivalent arg '{argument}' for queue '{names.q}' in vhost '/': {difference}")


@pytest.mark.rule("queue.declare", "passive")
def test_passive_declaration_compares_nothing(ch: WireChannel, names: Names) -> None:
    ch.call(Queue.declare(queue=names.q, arguments={"x-max-length": 5}))
    ch.call(Queue.declare(queue=names.q, passive=True, durable=True, arguments={"x-max-length": 9}))
