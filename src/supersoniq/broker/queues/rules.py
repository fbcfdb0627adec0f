"""The rules of a queue: what its arguments ask for beyond first in, first out."""

from typing import Final, final

from mypy_extensions import i64

from supersoniq.amqp.primitives import octets
from supersoniq.amqp.tables import Table
from supersoniq.broker.policies import smaller

DROP_HEAD: Final = 0
REJECT_PUBLISH: Final = 1
REJECT_PUBLISH_DLX: Final = 2
OVERFLOWS: Final = {
    b"drop-head": DROP_HEAD,
    b"reject-publish": REJECT_PUBLISH,
    b"reject-publish-dlx": REJECT_PUBLISH_DLX,
}
# How often a quorum queue delivers a message in vain, where nothing else is said (rabbitmq: quorum-queues).
QUORUM_DELIVERY_LIMIT: Final = 20
NONE: Final = -1
# So that a number of a policy, which has no bound, fits into an integer and leaves room for a sum.
NUMBER_MAX: Final = 1 << 53
# Which messages that come back rest for a while (rabbitmq: delayed retry).
RETRY_DISABLED: Final = 0
RETRY_ALL: Final = 1
RETRY_FAILED: Final = 2  # those that were rejected, or whose consumer has gone
RETRY_RETURNED: Final = 3  # those that were nacked
RETRY_TYPES: Final = {
    b"disabled": RETRY_DISABLED,
    b"all": RETRY_ALL,
    b"failed": RETRY_FAILED,
    b"returned": RETRY_RETURNED,
}


@final
class Rules:
    """What a queue does with its messages; numbers are -1 where there is no such rule."""

    def __init__(self) -> None:
        self.message_ttl_ms: i64 = NONE
        self.expires_ms: i64 = NONE
        self.max_length: i64 = NONE
        self.max_length_bytes: i64 = NONE
        self.overflow = DROP_HEAD
        self.dead_letter_exchange: bytes | None = None
        self.dead_letter_routing_key: bytes | None = None
        self.dead_letters_wait = False  # until they are taken (rabbitmq: at-least-once)
        self.delivery_limit: i64 = NONE
        self.max_priority: i64 = 0
        self.counts_deliveries = False  # and tells consumers, in x-delivery-count
        self.consumer_timeout_ms: i64 = NONE
        self.deduplicates = False
        self.retry_type = RETRY_DISABLED
        self.retry_min_ms: i64 = NONE
        self.retry_max_ms: i64 = NONE

    @property
    def is_limited(self) -> bool:
        """Whether there is a limit to its length."""
        return self.max_length >= 0 or self.max_length_bytes >= 0

    @property
    def is_plain(self) -> bool:
        """Whether a message that comes in is added to the end, and that is all."""
        return self.message_ttl_ms < 0 and not self.is_limited and not self.deduplicates

    def expires_at(self, now_ms: i64, expiration_ms: i64) -> i64:
        """Return when a message expires that comes now; `expiration_ms` is its own wish, -1 for none."""
        ttl = self.message_ttl_ms
        if ttl < 0 or (0 <= expiration_ms < ttl):
            ttl = expiration_ms
        # A time that is 0 would stand for never.
        return now_ms + ttl if ttl >= 0 else 0

    def rest_ms(self, delivery_count: i64, is_failure: bool) -> i64:
        """Return how long a message rests that has come back so often, 0 for not at all."""
        kind = self.retry_type
        if kind == RETRY_DISABLED or kind == (RETRY_RETURNED if is_failure else RETRY_FAILED):
            return 0
        rest = max(self.retry_min_ms, 0) * delivery_count
        return rest if self.retry_max_ms < 0 else min(rest, self.retry_max_ms)

    def overflows(self, count: i64, body_bytes: i64) -> bool:
        """Whether so much that is ready is beyond the limits."""
        return 0 <= self.max_length < count or 0 <= self.max_length_bytes < body_bytes


def deduplicates(arguments: Table) -> bool:
    """Whether an exchange or a queue with these arguments takes a message only once."""
    asks = arguments.get(b"x-message-deduplication")
    return asks is not None and asks.value is True


def rules_of(arguments: Table, queue_type: bytes) -> Rules:
    """Return the rules that arguments ask for, which were checked."""
    rules = Rules()
    rules.message_ttl_ms = _integer(arguments, b"x-message-ttl")
    rules.expires_ms = _integer(arguments, b"x-expires")
    rules.max_length = _integer(arguments, b"x-max-length")
    rules.max_length_bytes = _integer(arguments, b"x-max-length-bytes")
    rules.max_priority = max(_integer(arguments, b"x-max-priority"), 0)
    rules.overflow = OVERFLOWS.get(_octets(arguments, b"x-overflow") or b"", DROP_HEAD)
    rules.dead_letter_exchange = _octets(arguments, b"x-dead-letter-exchange")
    rules.dead_letter_routing_key = _octets(arguments, b"x-dead-letter-routing-key")
    rules.dead_letters_wait = _waiting(rules, _octets(arguments, b"x-dead-letter-strategy"))
    rules.consumer_timeout_ms = _integer(arguments, b"x-consumer-timeout")
    rules.deduplicates = deduplicates(arguments)
    rules.retry_type = RETRY_TYPES.get(_octets(arguments, b"x-delayed-retry-type") or b"", RETRY_DISABLED)
    rules.retry_min_ms = _integer(arguments, b"x-delayed-retry-min")
    rules.retry_max_ms = _integer(arguments, b"x-delayed-retry-max")
    if queue_type == b"quorum":
        rules.counts_deliveries = True
        rules.delivery_limit = QUORUM_DELIVERY_LIMIT
        if b"x-delivery-limit" in arguments:
            rules.delivery_limit = _integer(arguments, b"x-delivery-limit")
    return rules


def rules_under(arguments: Table, queue_type: bytes, definition: dict[str, object]) -> Rules:
    """Return the rules that arguments and policies ask for, all of which was checked.

    The smaller of two limits counts; else the argument does.
    """
    rules = rules_of(arguments, queue_type)
    rules.message_ttl_ms = _limit(rules.message_ttl_ms, definition, "message-ttl")
    rules.expires_ms = _limit(rules.expires_ms, definition, "expires")
    rules.max_length = _limit(rules.max_length, definition, "max-length")
    rules.max_length_bytes = _limit(rules.max_length_bytes, definition, "max-length-bytes")
    rules.consumer_timeout_ms = _limit(rules.consumer_timeout_ms, definition, "consumer-timeout")
    # Of quorum queues the policy counts (rabbitmq: quorum-queues).
    if b"x-overflow" not in arguments or (queue_type == b"quorum" and "overflow" in definition):
        rules.overflow = OVERFLOWS.get(_name(definition, "overflow") or b"", DROP_HEAD)
    if rules.dead_letter_exchange is None:
        rules.dead_letter_exchange = _name(definition, "dead-letter-exchange")
    if rules.dead_letter_routing_key is None:
        rules.dead_letter_routing_key = _name(definition, "dead-letter-routing-key")
    strategy = _octets(arguments, b"x-dead-letter-strategy") or _name(definition, "dead-letter-strategy")
    rules.dead_letters_wait = _waiting(rules, strategy)
    if b"x-delayed-retry-type" not in arguments:
        rules.retry_type = RETRY_TYPES.get(_name(definition, "delayed-retry-type") or b"", RETRY_DISABLED)
    if rules.retry_min_ms < 0:
        rules.retry_min_ms = _number(definition, "delayed-retry-min")
    if rules.retry_max_ms < 0:
        rules.retry_max_ms = _number(definition, "delayed-retry-max")
    if queue_type == b"quorum" and "delivery-limit" in definition:
        # What is the default counts only where nobody has said anything.
        limit = rules.delivery_limit if b"x-delivery-limit" in arguments else i64(NONE)
        rules.delivery_limit = _limit(limit, definition, "delivery-limit")
    return rules


def _waiting(rules: Rules, strategy: bytes | None) -> bool:
    """Whether dead letters wait until they are taken.

    Only a queue that refuses messages when it is full can ask for that (rabbitmq: quorum-queues).
    """
    has_exchange = rules.dead_letter_exchange is not None
    return strategy == b"at-least-once" and has_exchange and rules.overflow == REJECT_PUBLISH


def _limit(argument: i64, definition: dict[str, object], key: str) -> i64:
    return i64(smaller(int(argument), int(_number(definition, key))))


def _number(definition: dict[str, object], key: str) -> i64:
    value = definition.get(key)
    return i64(min(value, NUMBER_MAX)) if isinstance(value, int) else NONE


def _name(definition: dict[str, object], key: str) -> bytes | None:
    value = definition.get(key)
    return octets(value) if isinstance(value, str) else None


def _integer(arguments: Table, name: bytes) -> i64:
    field = arguments.get(name)
    return i64(field.integer()) if field is not None and field.is_integer else NONE


def _octets(arguments: Table, name: bytes) -> bytes | None:
    field = arguments.get(name)
    return field.octets() if field is not None and field.is_string else None
