"""The settings of policies: which there are, and which values they take, in RabbitMQ's words."""

import re
import warnings
from typing import Final

from supersoniq.broker.policies import Policy
from supersoniq.broker.validation import check, is_name, is_number, pairs, term

APPLY_TO: Final = ("queues", "classic_queues", "quorum_queues", "streams", "exchanges", "all")
# The smallest value of each number, and what its text calls it.
NUMBERS: Final = {
    "consumer-disconnected-timeout": (0, "consumer disconnected timeout"),
    "consumer-timeout": (0, "consumer timeout"),
    "delayed-retry-max": (0, "delayed retry maximum"),
    "delayed-retry-min": (0, "delayed retry minimum"),
    "delivery-limit": (-1, "delivery limit"),
    "expires": (1, "queue expiry"),
    "initial-cluster-size": (0, "cluster size"),
    "max-in-memory-bytes": (0, "maximum memory in bytes"),
    "max-in-memory-length": (0, "maximum memory in bytes"),
    "max-length": (0, "maximum length"),
    "max-length-bytes": (0, "maximum length in bytes"),
    "message-ttl": (0, "message TTL"),
    "shards-per-node": (0, "number of shards"),
    "stream-filter-size-bytes": (0, "filter size"),
    "stream-max-segment-size-bytes": (0, "segment size"),
    "target-group-size": (0, "target group size"),
}
NAMES: Final = {
    "alternate-exchange": "alternate exchange name",
    "dead-letter-exchange": "dead letter exchange name",
    "dead-letter-routing-key": "dead letter routing key",
    "federation-upstream": "upstream name",
    "federation-upstream-pattern": "upstream pattern",
    "federation-upstream-set": "upstream set name",
    "max-age": "max age",
    "routing-key": "routing key",
}
WORDS: Final = {
    "dead-letter-strategy": (("at-most-once", "at-least-once"), "dead letter strategy"),
    "delayed-retry-type": (("disabled", "all", "failed", "returned"), "delayed retry type"),
    "overflow": (("drop-head", "reject-publish", "reject-publish-dlx"), "overflow value"),
    "queue-leader-locator": (
        ("client-local", "balanced", "random", "least-leaders"),
        "queue leader locator value",
    ),
    "queue-master-locator": (("client-local", "min-masters", "random"), "queue-master-locator value"),
    "queue-mode": (("default", "lazy"), "queue-mode value"),
}
# Accepted from before RabbitMQ 4.0, with any value.
MIRRORING: Final = frozenset(
    [
        "ha-mode",
        "ha-params",
        "ha-promote-on-failure",
        "ha-promote-on-shutdown",
        "ha-sync-batch-size",
        "ha-sync-mode",
    ]
)
OF_OPERATORS: Final = frozenset(
    [
        "consumer-timeout",
        "delivery-limit",
        "expires",
        "initial-cluster-size",
        "max-in-memory-bytes",
        "max-in-memory-length",
        "max-length",
        "max-length-bytes",
        "message-ttl",
        "overflow",
        "queue-version",
        "target-group-size",
    ]
)


def policy_of(
    name: str, pattern: object, apply_to: object, priority: object, definition: object, is_operator: bool
) -> Policy:
    """Return the policy that is described by values of JSON; raises ValidationFailed."""
    reasons: list[str] = []
    if not is_number(priority):
        reasons.append(f"priority should be a number, actually was {term(priority)}")
    reason = _objection_to_pattern(pattern)
    if reason:
        reasons.append(reason)
    if apply_to not in APPLY_TO:
        shown = apply_to if isinstance(apply_to, str) else term(apply_to)
        reasons.append(
            f"apply-to '{shown}' unrecognised; should be 'queues', 'classic_queues', 'quorum_queues', "
            "'streams', 'exchanges' or 'all'"
        )
    if isinstance(definition, dict):
        reason = _objection_to_definition(definition, is_operator)
    else:
        reason = f"definition should be a map, actually was {term(definition)}"
    if reason:
        reasons.append(reason)
    check(reasons)
    assert isinstance(pattern, str)
    assert isinstance(apply_to, str)
    assert isinstance(priority, int)
    assert isinstance(definition, dict)
    return Policy(name, pattern, apply_to, priority, dict(definition), is_operator)


def _objection_to_pattern(pattern: object) -> str:
    if not isinstance(pattern, str):
        return f"pattern should be a binary but was {term(pattern)}"
    try:
        with warnings.catch_warnings():
            # What Python warns of, such as [[:alpha:]], means something else to it than to others.
            warnings.simplefilter("error", FutureWarning)
            re.compile(pattern)
    except (re.error, FutureWarning, OverflowError, RecursionError) as error:
        return f"pattern should be regular expression but is invalid: {error}"
    return ""


def _objection_to_definition(definition: dict[str, object], is_operator: bool) -> str:
    """Return why a definition is refused, empty if it is not: the first reason by name of setting."""
    if not definition:
        return "no policy provided"
    unknown: dict[str, object] = {}
    for key in sorted(definition):
        value = definition[key]
        if not _is_known(key) or (is_operator and key not in OF_OPERATORS):
            unknown[key] = value
            continue
        reason = _objection(key, value)
        if reason:
            return reason
    return f"{pairs(unknown)} are not recognised policy settings" if unknown else ""


def _is_known(key: str) -> bool:
    return key in NUMBERS or key in NAMES or key in WORDS or key in MIRRORING or key == "queue-version"


def _objection(key: str, value: object) -> str:
    """Return why the value of a known setting is refused, empty if it is not."""
    what = ""
    if key in NUMBERS:
        low, called = NUMBERS[key]
        if not isinstance(value, int) or isinstance(value, bool) or value < low:
            what = called
    elif key in NAMES:
        if not is_name(value):
            what = NAMES[key]
    elif key in WORDS:
        words, called = WORDS[key]
        if value not in words:
            what = called
    elif key == "queue-version" and (not is_number(value) or value not in (1, 2)):
        what = "queue-version value"
    return f"{term(value)} is not a valid {what}" if what else ""
