"""The arguments of queues: what is accepted, what counts as equal when a queue is declared again.

The types RabbitMQ knows each have their own list; an argument that stands in another type's list is refused,
one that stands in nobody's is kept and ignored.
"""

from typing import Final

from supersoniq.amqp.errors import PreconditionFailed
from supersoniq.amqp.primitives import text
from supersoniq.amqp.tables import Field, Table, plain_value
from supersoniq.broker.queues.rules import rules_of

TTL_MS_MAX: Final = 315_360_000_000  # ten years
PRIORITY_MAX: Final = 255

COMMON: Final = frozenset(
    [
        b"x-expires",
        b"x-message-ttl",
        b"x-dead-letter-exchange",
        b"x-dead-letter-routing-key",
        b"x-max-length",
        b"x-max-length-bytes",
        b"x-overflow",
        b"x-single-active-consumer",
        b"x-queue-type",
        b"x-queue-leader-locator",
        b"x-consumer-timeout",
    ]
)
CLASSIC: Final = frozenset(
    [b"x-max-priority", b"x-queue-mode", b"x-queue-version", b"x-queue-master-locator"]
)
QUORUM: Final = frozenset(
    [
        b"x-delivery-limit",
        b"x-dead-letter-strategy",
        b"x-quorum-initial-group-size",
        b"x-quorum-target-group-size",
        b"x-max-in-memory-length",
        b"x-max-in-memory-bytes",
        b"x-delayed-retry-type",
        b"x-delayed-retry-min",
        b"x-delayed-retry-max",
    ]
)
STREAM: Final = frozenset(
    [
        b"x-max-age",
        b"x-stream-max-segment-size-bytes",
        b"x-stream-filter-size-bytes",
        b"x-initial-cluster-size",
    ]
)
OF_TYPE: Final = {b"classic": CLASSIC, b"quorum": QUORUM}
TEXTS: Final = {
    b"x-overflow": (b"drop-head", b"reject-publish", b"reject-publish-dlx"),
    b"x-dead-letter-strategy": (b"at-most-once", b"at-least-once"),
    b"x-queue-mode": (b"default", b"lazy"),
    b"x-delayed-retry-type": (b"disabled", b"all", b"failed", b"returned"),
}
INTEGERS: Final = {
    b"x-expires": (1, TTL_MS_MAX),
    b"x-message-ttl": (0, TTL_MS_MAX),
    b"x-max-length": (0, 0),
    b"x-max-length-bytes": (0, 0),
    b"x-max-priority": (0, PRIORITY_MAX),
    b"x-queue-version": (0, 0),
    b"x-consumer-timeout": (0, TTL_MS_MAX),
    b"x-delayed-retry-min": (0, TTL_MS_MAX),
    b"x-delayed-retry-max": (0, TTL_MS_MAX),
}


class QueueOptions:
    """What a queue was declared with, checked."""

    def __init__(self, arguments: Table, queue_type: bytes) -> None:
        self.arguments = arguments
        self.queue_type = queue_type
        self.rules = rules_of(arguments, queue_type)
        single = arguments.get(b"x-single-active-consumer")
        self.single_active_consumer = single is not None and single.value is True


def check_queue(
    name: bytes, vhost: str, durable: bool, exclusive: bool, auto_delete: bool, arguments: Table
) -> QueueOptions:
    """Check the arguments of a new queue; raises 406 in RabbitMQ's words."""
    place = f"for queue '{text(name)}' in vhost '{vhost}'"
    queue_type = _queue_type(arguments, place)
    for argument, field in arguments.items():
        if argument not in COMMON and argument not in OF_TYPE[queue_type] and _is_known(argument):
            raise PreconditionFailed(
                f"invalid arg '{text(argument)}' {place} of queue type rabbit_{text(queue_type)}_queue"
            )
        reason = _objection(argument, field, arguments)
        if reason:
            raise PreconditionFailed(f"invalid arg '{text(argument)}' {place}: {reason}")
    dead_letter_exchange = arguments.get(b"x-dead-letter-exchange")
    if dead_letter_exchange is not None and not dead_letter_exchange.is_string:
        raise PreconditionFailed(
            f"invalid type '{dead_letter_exchange.kind_name}' for arg 'x-dead-letter-exchange' "
            f"in queue '{text(name)}' in vhost '{vhost}'"
        )
    if queue_type == b"quorum":
        _check_quorum(place, durable, exclusive, auto_delete)
    return QueueOptions(arguments, queue_type)


def check_equivalent(name: bytes, vhost: str, current: QueueOptions, received: Table) -> None:
    """Raise 406 if a queue is declared again with other arguments; only those its type knows are compared."""
    place = f"for queue '{text(name)}' in vhost '{vhost}'"
    known = COMMON | OF_TYPE[current.queue_type]
    for argument in sorted(known):
        given, had = received.get(argument), current.arguments.get(argument)
        if argument == b"x-queue-type" and _type_name(given) == _type_name(had):
            continue
        difference = _difference(given, had)
        if difference:
            raise PreconditionFailed(f"inequivalent arg '{text(argument)}' {place}: {difference}")


def shown(field: Field) -> str:
    """Render a value as RabbitMQ's texts do."""
    if isinstance(field.value, bytes):
        return text(field.value)
    if isinstance(field.value, bool):
        return "true" if field.value else "false"
    return str(plain_value(field))


def _difference(given: Field | None, had: Field | None) -> str:
    if given is None or had is None:
        if given is had:
            return ""
        if had is None:
            assert given is not None
            return f"received the value '{shown(given)}' of type '{given.kind_name}' but current is none"
        return f"received none but current is the value '{shown(had)}' of type '{had.kind_name}'"
    if _integer_class(given) and _integer_class(had) and given.value == had.value:
        return ""
    if given.equals(had):
        return ""
    if given.same_class(had):
        return f"received '{shown(given)}' but current is '{shown(had)}'"
    return (
        f"received the value '{shown(given)}' of type '{given.kind_name}' "
        f"but current is the value '{shown(had)}' of type '{had.kind_name}'"
    )


def _integer_class(field: Field) -> bool:
    """Whether RabbitMQ compares it as an integer here: timestamps count, too."""
    return field.is_integer or field.kind == ord("T")


def _type_name(field: Field | None) -> object:
    return b"classic" if field is None else field.value


def _queue_type(arguments: Table, place: str) -> bytes:
    field = arguments.get(b"x-queue-type")
    if field is None:
        return b"classic"
    if not field.is_string:
        raise PreconditionFailed(
            f"invalid arg 'x-queue-type' {place}: {{unacceptable_type,{field.kind_name}}}"
        )
    if field.octets() not in OF_TYPE:
        raise PreconditionFailed(
            f"invalid arg 'x-queue-type' {place}: \"unsupported queue type '{shown(field)}'\""
        )
    return field.octets()


def _is_known(argument: bytes) -> bool:
    return argument in CLASSIC or argument in QUORUM or argument in STREAM


def _objection(argument: bytes, field: Field, arguments: Table) -> str:
    """Return why the value is refused, in Erlang's notation as RabbitMQ sends it; empty if it is not."""
    if argument in INTEGERS:
        return _integer_objection(argument, field)
    if argument in TEXTS:
        return _text_objection(argument, field)
    if argument == b"x-single-active-consumer" and not isinstance(field.value, bool):
        return f"{{unacceptable_type,{field.kind_name}}}"
    if argument == b"x-dead-letter-routing-key":
        if not field.is_string:
            return f"{{unacceptable_type,{field.kind_name}}}"
        if b"x-dead-letter-exchange" not in arguments:
            return "routing_key_but_no_dlx_defined"
    return ""


def _integer_objection(argument: bytes, field: Field) -> str:
    if not field.is_integer:
        return f'"expected integer, got {field.kind_name}"'
    low, high = INTEGERS[argument]
    value = field.integer()
    if value < 0:
        return f"{{value_negative,{value}}}"
    if value < low:
        return f"{{value_zero,{value}}}"
    if argument == b"x-queue-version" and value not in (1, 2):
        return f"\"unsupported queue version '{value}'\""
    if high and value > high:
        name = "max_value_exceeded" if argument == b"x-max-priority" else "value_too_large"
        return f"{{{name},{value}}}"
    return ""


def _text_objection(argument: bytes, field: Field) -> str:
    if not field.is_string:
        return f"{{unacceptable_type,{field.kind_name}}}"
    if field.octets() in TEXTS[argument]:
        return ""
    if argument == b"x-overflow":
        return "invalid_overflow"
    if argument == b"x-dead-letter-strategy":
        return "invalid_dlx_strategy"
    if argument == b"x-delayed-retry-type":
        return "invalid_delayed_retry_type"
    return f"\"unsupported queue mode '{shown(field)}'\""


def _check_quorum(place: str, durable: bool, exclusive: bool, auto_delete: bool) -> None:
    if auto_delete:
        raise PreconditionFailed(f"invalid property 'auto-delete' {place}")
    if exclusive:
        raise PreconditionFailed(f"invalid property 'exclusive-owner' {place}")
    if not durable:
        raise PreconditionFailed(f"invalid property 'non-durable' {place}")
