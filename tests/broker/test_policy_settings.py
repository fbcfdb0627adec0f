"""Policies are checked as RabbitMQ does, and refused with its texts."""

import pytest

from supersoniq.broker.policies import Policy
from supersoniq.broker.policy_settings import policy_of
from supersoniq.broker.validation import ValidationFailed


def made(
    definition: object,
    is_operator: bool = False,
    pattern: object = "^x",
    apply_to: object = "all",
    priority: object = 0,
) -> Policy:
    return policy_of("p", pattern, apply_to, priority, definition, is_operator)


def reason(
    definition: object,
    is_operator: bool = False,
    pattern: object = "^x",
    apply_to: object = "all",
    priority: object = 0,
) -> str:
    with pytest.raises(ValidationFailed) as caught:
        made(definition, is_operator, pattern, apply_to, priority)
    text = str(caught.value)
    assert text.startswith("Validation failed\n\n")
    assert text.endswith("\n")
    return text.removeprefix("Validation failed\n\n")[:-1]


def test_policy_is_what_was_described() -> None:
    definition: dict[str, object] = {"max-length": 5}
    policy = made(definition, True, "a|b", "queues", -3)
    assert (policy.name, policy.pattern, policy.apply_to, policy.priority) == ("p", "a|b", "queues", -3)
    assert policy.is_operator
    assert policy.definition == definition
    assert policy.definition is not definition


# The texts were told by RabbitMQ 3.10.8.
@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("expires", 0, "0 is not a valid queue expiry"),
        ("expires", "a", '<<"a">> is not a valid queue expiry'),
        ("message-ttl", -1, "-1 is not a valid message TTL"),
        ("message-ttl", 1.5, "1.5 is not a valid message TTL"),
        ("message-ttl", True, "true is not a valid message TTL"),
        ("message-ttl", [1], "[1] is not a valid message TTL"),
        ("message-ttl", {"a": 1}, '#{<<"a">> => 1} is not a valid message TTL'),
        ("message-ttl", None, "null is not a valid message TTL"),
        ("dead-letter-exchange", 5, "5 is not a valid dead letter exchange name"),
        ("dead-letter-routing-key", 5, "5 is not a valid dead letter routing key"),
        ("dead-letter-strategy", "x", '<<"x">> is not a valid dead letter strategy'),
        ("max-length", -1, "-1 is not a valid maximum length"),
        ("max-length-bytes", -1, "-1 is not a valid maximum length in bytes"),
        ("max-in-memory-length", -1, "-1 is not a valid maximum memory in bytes"),
        ("overflow", "x", '<<"x">> is not a valid overflow value'),
        ("overflow", [1], "[1] is not a valid overflow value"),
        ("delivery-limit", "x", '<<"x">> is not a valid delivery limit'),
        ("delivery-limit", -2, "-2 is not a valid delivery limit"),
        ("alternate-exchange", 1, "1 is not a valid alternate exchange name"),
        ("queue-mode", "x", '<<"x">> is not a valid queue-mode value'),
        ("queue-version", 7, "7 is not a valid queue-version value"),
        ("queue-version", True, "true is not a valid queue-version value"),
        ("queue-leader-locator", "x", '<<"x">> is not a valid queue leader locator value'),
        ("stream-max-segment-size-bytes", -1, "-1 is not a valid segment size"),
        ("bogus", 5, '[{<<"bogus">>,5}] are not recognised policy settings'),
    ],
)
def test_value_that_is_wrong_is_refused(key: str, value: object, text: str) -> None:
    assert reason({key: value}) == text


@pytest.mark.parametrize(
    ("definition", "text"),
    [
        ({}, "no policy provided"),
        ({"max-length": -1, "expires": 0}, "0 is not a valid queue expiry"),
        ({"bogus": "a", "expires": 0}, "0 is not a valid queue expiry"),
        ({"z": 1, "a": 2}, '[{<<"a">>,2},{<<"z">>,1}] are not recognised policy settings'),
        ([1], "definition should be a map, actually was [1]"),
    ],
)
def test_first_wrong_value_is_told_before_unknown_settings(definition: object, text: str) -> None:
    assert reason(definition) == text


def test_name_that_fits_into_no_method_is_refused() -> None:
    assert "is not a valid dead letter routing key" in reason({"dead-letter-routing-key": "k" * 256})
    made({"dead-letter-routing-key": "k" * 255})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("expires", 1),
        ("message-ttl", 0),
        ("message-ttl", 10**30),
        ("delivery-limit", -1),
        ("dead-letter-exchange", ""),
        ("overflow", "reject-publish-dlx"),
        ("queue-version", 2),
        ("delayed-retry-type", "all"),
        ("consumer-timeout", 1000),
        ("ha-mode", "all"),
        ("federation-upstream-set", "all"),
    ],
)
def test_what_rabbitmq_takes_is_taken(key: str, value: object) -> None:
    assert made({key: value}).definition == {key: value}


@pytest.mark.parametrize("key", ["dead-letter-exchange", "alternate-exchange", "queue-mode"])
def test_operators_have_fewer_settings(key: str) -> None:
    made({key: "default"})
    assert (
        reason({key: "default"}, True)
        == f'[{{<<"{key}">>,<<"default">>}}] are not recognised policy settings'
    )


@pytest.mark.parametrize(
    "key", ["expires", "message-ttl", "max-length", "max-length-bytes", "delivery-limit", "consumer-timeout"]
)
def test_operators_have_limits(key: str) -> None:
    assert made({key: 7}, True).definition == {key: 7}


@pytest.mark.parametrize("pattern", ["(", "*", "[[:alpha:]]", "x{99999999999999999999}"])
def test_pattern_has_to_be_a_regular_expression(pattern: str) -> None:
    assert reason({"expires": 1}, pattern=pattern).startswith(
        "pattern should be regular expression but is invalid: "
    )


def test_all_parts_are_checked() -> None:
    assert reason({}, pattern=5, apply_to="every", priority="a").splitlines() == [
        'priority should be a number, actually was <<"a">>',
        "pattern should be a binary but was 5",
        "apply-to 'every' unrecognised; should be 'queues', 'classic_queues', 'quorum_queues', 'streams', "
        "'exchanges' or 'all'",
        "no policy provided",
    ]
    assert "apply-to '7' unrecognised" in reason({"expires": 1}, apply_to=7)
