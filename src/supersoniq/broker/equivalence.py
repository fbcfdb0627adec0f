"""Declared again: an exchange or a queue that is there already has to be what is asked for.

What differs is told in RabbitMQ's words.
"""

from supersoniq.amqp.errors import PreconditionFailed, ResourceLocked
from supersoniq.amqp.primitives import text
from supersoniq.amqp.tables import Field, Table
from supersoniq.broker.arguments import check_equivalent, shown
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.queues.queue import Queue


def check_same_exchange(
    vhost: str,
    exchange: Exchange,
    kind: str,
    durable: bool,
    auto_delete: bool,
    internal: bool,
    arguments: Table,
) -> None:
    """Raise 406 unless an exchange is what is declared."""
    had, given = exchange.arguments.get(b"alternate-exchange"), arguments.get(b"alternate-exchange")
    pairs = [
        ("type", kind, exchange.kind),
        ("durable", _flag(durable), _flag(exchange.durable)),
        ("auto_delete", _flag(auto_delete), _flag(exchange.auto_delete)),
        ("internal", _flag(internal), _flag(exchange.internal)),
    ]
    place = f"for exchange '{text(exchange.name)}' in vhost '{vhost}'"
    for property_name, received, current in pairs:
        if received != current:
            raise PreconditionFailed(
                f"inequivalent arg '{property_name}' {place}: "
                f"received '{received}' but current is '{current}'"
            )
    if (had is None) != (given is None) or (had is not None and given is not None and not had.equals(given)):
        raise PreconditionFailed(
            f"inequivalent arg 'alternate-exchange' {place}: "
            f"received {_quoted(given)} but current is {_quoted(had)}"
        )


def check_same_queue(
    vhost: str, queue: Queue, durable: bool, owner: int, auto_delete: bool, arguments: Table
) -> None:
    """Raise 405 or 406 unless a queue is what is declared."""
    if queue.owner != owner:
        raise locked(vhost, queue.name)
    place = f"for queue '{text(queue.name)}' in vhost '{vhost}'"
    for property_name, received, current in (
        ("durable", durable, queue.durable),
        ("auto_delete", auto_delete, queue.auto_delete),
    ):
        if received != current:
            raise PreconditionFailed(
                f"inequivalent arg '{property_name}' {place}: "
                f"received '{_flag(received)}' but current is '{_flag(current)}'"
            )
    check_equivalent(queue.name, vhost, queue.options, arguments)


def locked(vhost: str, name: bytes) -> ResourceLocked:
    """Return what answers those who want another connection's queue."""
    return ResourceLocked(
        f"cannot obtain exclusive access to locked queue '{text(name)}' in vhost '{vhost}'. "
        "It could be originally declared on another connection or the exclusive property value "
        "does not match that of the original declaration."
    )


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _quoted(value: Field | None) -> str:
    return "none" if value is None else f"the value '{shown(value)}' of type '{value.kind_name}'"
