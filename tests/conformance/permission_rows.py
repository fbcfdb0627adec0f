"""A table's row for each method that permissions are checked for, and what is checked in which order."""

from __future__ import annotations

from dataclasses import dataclass

from tests.conformance.codec import IDS, Basic, Channel, Confirm, Exchange, Method, Queue, Tx
from tests.conformance.people import VHOST

LOCKED = (
    f"405 RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'locked' in vhost '{VHOST}'. "
    "It could be originally declared on another connection or the exclusive property value does not match "
    "that of the original declaration."
)
DEFAULT = "403 ACCESS_REFUSED - operation not permitted on the default exchange"
NO_QUEUE = f"404 NOT_FOUND - no queue 'missing' in vhost '{VHOST}'"
NO_EXCHANGE = f"404 NOT_FOUND - no exchange 'missing' in vhost '{VHOST}'"
OTHER_QUEUE = (
    f"406 PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'q' in vhost '{VHOST}': "
    "received 'true' but current is 'false'"
)
OTHER_EXCHANGE = (
    f"406 PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'x' in vhost '{VHOST}': "
    "received 'fanout' but current is 'direct'"
)
RESERVED_QUEUE = "403 ACCESS_REFUSED - queue name 'amq.mine' contains reserved prefix 'amq.*'"
RESERVED_EXCHANGE = "403 ACCESS_REFUSED - exchange name 'amq.mine' contains reserved prefix 'amq.*'"
SYSTEM = f"403 ACCESS_REFUSED - deletion of system exchange 'amq.direct' in vhost '{VHOST}' not allowed"
INTERNAL = f"403 ACCESS_REFUSED - cannot publish to internal exchange 'internal' in vhost '{VHOST}'"
OTHER_USER = "406 PRECONDITION_FAILED - user_id property set to 'bob' but authenticated user was '{user}'"
BAD_EXPIRATION = "406 PRECONDITION_FAILED - invalid expiration 'soon': no_integer"
NO_CONSUMER = "406 PRECONDITION_FAILED - fast reply consumer does not exist"
UNKNOWN_TAG = "406 PRECONDITION_FAILED - unknown delivery tag 1"
NO_NAME = "404 NOT_FOUND - no previously declared queue"

# What is there before each row, made by somebody else.
THERE = (
    Queue.declare(queue="q"),
    Queue.declare(queue="locked", exclusive=True),
    Exchange.declare(exchange="x", type="direct"),
    Exchange.declare(exchange="y", type="topic"),
    Exchange.declare(exchange="internal", type="direct", internal=True),
)
# And what a row may have made.
MADE = (Queue.delete(queue="q"), Queue.delete(queue="new"), Exchange.delete(exchange="new"))


@dataclass(frozen=True)
class Row:
    """`act`, and the refusals that it may end with, in the order in which they are looked for.

    `write queue q` refuses who may not write to it, one with a code refuses everybody. None of `before` is
    ever refused.
    """

    label: str
    act: Method
    checks: tuple[str, ...] = ()
    before: tuple[Method, ...] = ()

    @property
    def ids(self) -> tuple[int, int]:
        return IDS[self.act.name]

    def outcome(self, user: str, permissions: set[str]) -> str:
        """The close that answers a user with these permissions, empty for none."""
        for check in self.checks:
            if check[0].isdigit():
                return check.format(user=user)
            permission, kind, name = check.split()
            if permission not in permissions:
                return (
                    f"403 ACCESS_REFUSED - {permission} access to {kind} '{name}' in vhost '{VHOST}' "
                    f"refused for user '{user}'"
                )
        return ""


def declare_queue(label: str, *checks: str, **fields: object) -> Row:
    return Row(f"queue.declare {label}", Queue.declare(**fields), checks)


def declare_exchange(label: str, *checks: str, **fields: object) -> Row:
    fields = {"type": "direct", **fields}
    return Row(f"exchange.declare {label}", Exchange.declare(**fields), checks)


def bind(label: str, queue: str, exchange: str, *checks: str) -> list[Row]:
    """A row each for Queue.Bind and Unbind; to unbind what is not there is fine."""
    fields = {"queue": queue, "exchange": exchange, "routing_key": "k"}
    unbind = tuple(check for check in checks if not check.startswith(("404", "405")))
    return [
        Row(f"queue.bind {label}", Queue.bind(**fields), checks),
        Row(f"queue.unbind {label}", Queue.unbind(**fields), unbind),
    ]


def bind_exchange(label: str, destination: str, source: str, *checks: str) -> list[Row]:
    fields = {"destination": destination, "source": source, "routing_key": "k"}
    unbind = tuple(check for check in checks if not check.startswith("404"))
    return [
        Row(f"exchange.bind {label}", Exchange.bind(**fields), checks),
        Row(f"exchange.unbind {label}", Exchange.unbind(**fields), unbind),
    ]


def publish(label: str, exchange: str, *checks: str, key: str = "k", **properties: object) -> Row:
    method = Basic.publish(exchange=exchange, routing_key=key, body=b"", properties=properties)
    return Row(f"basic.publish {label}", method, checks)


def with_queue(method: str, permission: str, missing: str, locked: str) -> list[Row]:
    """A row each for a queue that is there, locked, and missing."""
    ends = {"q": (), "locked": (locked,), "missing": (missing,) if missing else ()}
    return [
        Row(f"{method} {queue}", Method(method, {"queue": queue}), (f"{permission} queue {queue}", *end))
        for queue, end in ends.items()
    ]


DLX = {"x-dead-letter-exchange": "x"}
ROWS = [
    declare_queue("new", "configure queue new", queue="new"),
    declare_queue("same", "configure queue q", queue="q"),
    declare_queue("differs", "configure queue q", OTHER_QUEUE, queue="q", durable=True),
    declare_queue("locked", "configure queue locked", LOCKED, queue="locked"),
    declare_queue("locked as exclusive", "configure queue locked", LOCKED, queue="locked", exclusive=True),
    declare_queue("passive", queue="q", passive=True),
    declare_queue("passive, locked", LOCKED, queue="locked", passive=True),
    declare_queue("passive, missing", NO_QUEUE, queue="missing", passive=True),
    declare_queue("reserved", RESERVED_QUEUE, queue="amq.mine"),
    declare_queue("reply-to", queue="amq.rabbitmq.reply-to"),
    declare_queue(
        "with dead letters",
        "configure queue new",
        "read queue new",
        "write exchange x",
        queue="new",
        arguments=DLX,
    ),
    declare_queue(
        "with dead letters for the default exchange",
        "configure queue new",
        "read queue new",
        "write exchange amq.default",
        queue="new",
        arguments={"x-dead-letter-exchange": ""},
    ),
    *bind("both there", "q", "x", "write queue q", "read exchange x"),
    *bind("no queue", "missing", "x", "write queue missing", "read exchange x", NO_QUEUE),
    *bind("no exchange", "q", "missing", "write queue q", "read exchange missing", NO_EXCHANGE),
    *bind("default exchange", "q", "", "write queue q", DEFAULT),
    *bind("locked", "locked", "x", "write queue locked", "read exchange x", LOCKED),
    *with_queue("queue.purge", "read", NO_QUEUE, LOCKED),
    *with_queue("queue.delete", "configure", "", LOCKED),
    *with_queue("basic.get", "read", NO_QUEUE, LOCKED),
    *with_queue("basic.consume", "read", NO_QUEUE, LOCKED),
    Row("basic.get without a name", Basic.get(queue=""), (NO_NAME,)),
    Row("basic.consume reply-to", Basic.consume(queue="amq.rabbitmq.reply-to", no_ack=True)),
    declare_exchange("new", "configure exchange new", exchange="new"),
    declare_exchange("same", "configure exchange x", exchange="x"),
    declare_exchange("differs", "configure exchange x", OTHER_EXCHANGE, exchange="x", type="fanout"),
    declare_exchange("passive", exchange="x", passive=True),
    declare_exchange("passive, missing", NO_EXCHANGE, exchange="missing", passive=True),
    declare_exchange("default", DEFAULT, exchange=""),
    declare_exchange("passive, default", DEFAULT, exchange="", passive=True),
    declare_exchange("reserved", "configure exchange amq.mine", RESERVED_EXCHANGE, exchange="amq.mine"),
    declare_exchange("predeclared", "configure exchange amq.direct", exchange="amq.direct", durable=True),
    declare_exchange(
        "with an alternate one",
        "configure exchange new",
        "read exchange new",
        "write exchange x",
        exchange="new",
        arguments={"alternate-exchange": "x"},
    ),
    Row("exchange.delete", Exchange.delete(exchange="x"), ("configure exchange x",)),
    Row("exchange.delete missing", Exchange.delete(exchange="missing"), ("configure exchange missing",)),
    Row("exchange.delete predeclared", Exchange.delete(exchange="amq.direct"), (SYSTEM,)),
    Row("exchange.delete default", Exchange.delete(exchange=""), (DEFAULT,)),
    *bind_exchange("both there", "x", "y", "write exchange x", "read exchange y"),
    *bind_exchange(
        "no destination", "missing", "y", "write exchange missing", "read exchange y", NO_EXCHANGE
    ),
    *bind_exchange("no source", "x", "missing", "write exchange x", "read exchange missing", NO_EXCHANGE),
    *bind_exchange("default source", "x", "", "write exchange x", DEFAULT),
    *bind_exchange("default destination", "", "x", "write exchange amq.default", DEFAULT),
    publish("to an exchange", "x", "write exchange x"),
    publish("to a queue", "", "write exchange amq.default", key="q"),
    publish("to a locked queue", "", "write exchange amq.default", key="locked"),
    publish("to none", "missing", "write exchange missing", NO_EXCHANGE),
    publish("to an internal one", "internal", "write exchange internal", INTERNAL),
    publish("with headers", "x", "write exchange x", headers={"a": 1}),
    publish("for somebody else", "x", "write exchange x", OTHER_USER, user_id="bob", expiration="soon"),
    publish("with a bad expiration", "x", "write exchange x", BAD_EXPIRATION, expiration="soon"),
    publish(
        "asking for answers that nobody waits for",
        "x",
        "write exchange x",
        NO_CONSUMER,
        reply_to="amq.rabbitmq.reply-to",
        user_id="bob",
    ),
    Row(
        "basic.publish in a transaction",
        Basic.publish(exchange="x", body=b""),
        ("write exchange x",),
        (Tx.select(),),
    ),
    Row("basic.cancel", Basic.cancel(consumer_tag="c")),
    Row("basic.qos", Basic.qos()),
    Row("basic.ack", Basic.ack(delivery_tag=1), (UNKNOWN_TAG,)),
    Row("basic.reject", Basic.reject(delivery_tag=1), (UNKNOWN_TAG,)),
    Row("basic.nack", Basic.nack(delivery_tag=1), (UNKNOWN_TAG,)),
    Row("basic.recover", Basic.recover(requeue=True)),
    Row("channel.flow", Channel.flow(active=True)),
    Row("confirm.select", Confirm.select()),
    Row("tx.select", Tx.select()),
    Row("tx.commit", Tx.commit(), (), (Tx.select(),)),
    Row("tx.rollback", Tx.rollback(), (), (Tx.select(),)),
    Row("access.request", Method("access.request")),
]
