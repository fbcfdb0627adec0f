"""Rules are what the arguments say, and no rule is none."""

from typing import Any

import pytest

from supersoniq.amqp.tables import table_of
from supersoniq.broker.queues.rules import (
    DROP_HEAD,
    QUORUM_DELIVERY_LIMIT,
    REJECT_PUBLISH,
    REJECT_PUBLISH_DLX,
    RETRY_ALL,
    RETRY_FAILED,
    Rules,
    rules_of,
    rules_under,
)


def rules_with(queue_type: bytes = b"classic", **arguments: object) -> Rules:
    named = {"x-" + name.replace("_", "-"): value for name, value in arguments.items()}
    return rules_of(table_of(named), queue_type)


def test_no_arguments_are_no_rules() -> None:
    rules = rules_with()
    assert rules.is_plain
    assert not rules.is_limited
    assert (int(rules.expires_ms), int(rules.delivery_limit), int(rules.max_priority)) == (-1, -1, 0)
    assert (rules.overflow, rules.dead_letter_exchange) == (DROP_HEAD, None)
    assert not rules.overflows(10**9, 10**12)
    assert int(rules.expires_at(5, -1)) == 0


@pytest.mark.parametrize(
    ("ttl", "expiration", "wanted"), [(-1, 7, 107), (9, -1, 109), (9, 7, 107), (7, 9, 107), (0, 5, 100)]
)
def test_shorter_time_counts(ttl: int, expiration: int, wanted: int) -> None:
    rules = rules_with(message_ttl=ttl) if ttl >= 0 else rules_with()
    assert int(rules.expires_at(100, expiration)) == wanted
    assert rules.is_plain == (ttl < 0)


def test_limits_of_number_and_size_both_count() -> None:
    rules = rules_with(max_length=3, max_length_bytes=100)
    assert not rules.is_plain
    assert [rules.overflows(3, 100), rules.overflows(4, 1), rules.overflows(1, 101)] == [False, True, True]
    assert rules_with(max_length=0).overflows(1, 0)


@pytest.mark.parametrize(
    ("word", "overflow"),
    [
        ("drop-head", DROP_HEAD),
        ("reject-publish", REJECT_PUBLISH),
        ("reject-publish-dlx", REJECT_PUBLISH_DLX),
    ],
)
def test_overflow_has_a_name(word: str, overflow: int) -> None:
    assert rules_with(overflow=word).overflow == overflow


def test_dead_letters_priorities_and_disuse() -> None:
    rules = rules_with(dead_letter_exchange="e", dead_letter_routing_key="k", max_priority=7, expires=99)
    assert (rules.dead_letter_exchange, rules.dead_letter_routing_key) == (b"e", b"k")
    assert (int(rules.max_priority), int(rules.expires_ms)) == (7, 99)
    assert rules.is_plain


def test_quorum_queues_count_deliveries_and_have_a_limit() -> None:
    assert int(rules_with(b"quorum").delivery_limit) == QUORUM_DELIVERY_LIMIT
    assert rules_with(b"quorum").counts_deliveries
    assert int(rules_with(b"quorum", delivery_limit=3).delivery_limit) == 3
    assert int(rules_with(b"quorum", delivery_limit=-1).delivery_limit) == -1
    assert not rules_with().counts_deliveries


# Under policies


def under(definition: dict[str, object], queue_type: bytes = b"classic", **arguments: object) -> Rules:
    named = {"x-" + name.replace("_", "-"): value for name, value in arguments.items()}
    return rules_under(table_of(named), queue_type, definition)


@pytest.mark.parametrize(
    ("key", "attribute"),
    [
        ("message-ttl", "message_ttl_ms"),
        ("expires", "expires_ms"),
        ("max-length", "max_length"),
        ("max-length-bytes", "max_length_bytes"),
        ("consumer-timeout", "consumer_timeout_ms"),
    ],
)
@pytest.mark.parametrize(("argument", "wanted", "limit"), [(5, 7, 5), (7, 5, 5), (None, 5, 5), (5, None, 5)])
def test_smaller_of_argument_and_policy_counts(
    key: str, attribute: str, argument: int | None, wanted: int | None, limit: int
) -> None:
    definition: dict[str, object] = {} if wanted is None else {key: wanted}
    arguments: dict[str, Any] = {} if argument is None else {key.replace("-", "_"): argument}
    assert int(getattr(under(definition, **arguments), attribute)) == limit


def test_argument_counts_before_a_policy_where_there_is_no_smaller_one() -> None:
    definition: dict[str, object] = {
        "overflow": "reject-publish",
        "dead-letter-exchange": "theirs",
        "dead-letter-routing-key": "key",
        "delayed-retry-type": "failed",
        "delayed-retry-min": 10,
        "delayed-retry-max": 20,
    }
    rules = under(definition)
    assert (rules.overflow, rules.dead_letter_exchange, rules.dead_letter_routing_key) == (
        REJECT_PUBLISH,
        b"theirs",
        b"key",
    )
    assert (rules.retry_type, int(rules.retry_min_ms), int(rules.retry_max_ms)) == (RETRY_FAILED, 10, 20)
    rules = under(
        definition,
        overflow="drop-head",
        dead_letter_exchange="",
        delayed_retry_type="all",
        delayed_retry_min=30,
        delayed_retry_max=40,
    )
    assert (rules.overflow, rules.dead_letter_exchange, rules.dead_letter_routing_key) == (
        DROP_HEAD,
        b"",
        b"key",
    )
    assert (rules.retry_type, int(rules.retry_min_ms), int(rules.retry_max_ms)) == (RETRY_ALL, 30, 40)


@pytest.mark.parametrize(
    ("argument", "wanted", "limit"),
    [
        (None, None, QUORUM_DELIVERY_LIMIT),
        (None, 50, 50),
        (None, -1, -1),
        (3, 50, 3),
        (50, 3, 3),
        (-1, 3, 3),
        (3, -1, 3),
    ],
)
def test_default_of_quorum_queues_counts_where_nobody_says_anything(
    argument: int | None, wanted: int | None, limit: int
) -> None:
    definition: dict[str, object] = {} if wanted is None else {"delivery-limit": wanted}
    arguments: dict[str, Any] = {} if argument is None else {"delivery_limit": argument}
    assert int(under(definition, b"quorum", **arguments).delivery_limit) == limit


def test_policy_gives_other_queues_no_delivery_limit_and_none_a_priority() -> None:
    rules = under({"delivery-limit": 3}, max_priority=4)
    assert (int(rules.delivery_limit), int(rules.max_priority)) == (-1, 4)


@pytest.mark.parametrize(
    ("arguments", "definition", "wait"),
    [
        ({"dead_letter_strategy": "at-least-once"}, {}, True),
        ({"dead_letter_strategy": "at-most-once"}, {}, False),
        ({}, {}, False),
        ({}, {"dead-letter-strategy": "at-least-once"}, True),
        ({"dead_letter_strategy": "at-most-once"}, {"dead-letter-strategy": "at-least-once"}, False),
        ({"dead_letter_strategy": "at-least-once", "overflow": "drop-head"}, {}, False),
        ({"dead_letter_strategy": "at-least-once", "overflow": "reject-publish-dlx"}, {}, False),
        ({"dead_letter_strategy": "at-least-once"}, {"overflow": "drop-head"}, False),
    ],
)
def test_dead_letters_wait_where_that_is_asked_for_and_full_queues_refuse(
    arguments: dict[str, Any], definition: dict[str, object], wait: bool
) -> None:
    at_the_limit: dict[str, Any] = {"overflow": "reject-publish", "dead_letter_exchange": "e"}
    assert under(definition, b"quorum", **{**at_the_limit, **arguments}).dead_letters_wait == wait


def test_dead_letters_wait_for_an_exchange_only_that_has_a_name() -> None:
    asked: dict[str, Any] = {"dead_letter_strategy": "at-least-once", "overflow": "reject-publish"}
    assert not rules_with(b"quorum", **asked).dead_letters_wait
    assert not under({}, b"quorum", **asked).dead_letters_wait
    assert under({"dead-letter-exchange": ""}, b"quorum", **asked).dead_letters_wait
    policy: dict[str, object] = {
        "dead-letter-strategy": "at-least-once",
        "dead-letter-exchange": "e",
        "overflow": "reject-publish",
    }
    assert under(policy).dead_letters_wait


def test_number_of_a_policy_may_be_huge() -> None:
    rules = under({"message-ttl": 10**30, "max-length": 10**30})
    assert int(rules.expires_at(10**13, -1)) > 10**13
    assert not rules.overflows(10**12, 0)
