"""Basic.Publish of one channel: method, content header and bodies become one message, routed and enqueued.

The common case touches no more than flags: an address or a header equal to the one before is not looked at
again.
"""

from typing import Final, final

from mypy_extensions import i64

from supersoniq.amqp.errors import FrameError, MethodNotImplemented, PreconditionFailed, UnexpectedFrame
from supersoniq.amqp.primitives import erlang_binary, read_s64, read_u16, text
from supersoniq.amqp.properties import (
    check_properties,
    headers_property,
    is_persistent,
    property_flags,
    shortstr_property,
    with_headers,
    with_shortstr,
)
from supersoniq.amqp.spec import (
    BASIC,
    FLAG_CONTINUED,
    FLAG_EXPIRATION,
    FLAG_HEADERS,
    FLAG_REPLY_TO,
    FLAG_USER_ID,
)
from supersoniq.amqp.tables import Table
from supersoniq.auth.permissions import WRITE
from supersoniq.broker.counters import SMALL_BODY_BYTES, MessageCounters
from supersoniq.broker.delays import delay_of
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.message import Message
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.routing import Route
from supersoniq.broker.vhost import REPLY_TO, VHost
from supersoniq.session.client import Client
from supersoniq.session.confirms import Confirms
from supersoniq.session.consuming import Consuming
from supersoniq.session.tap import Tap
from supersoniq.session.transactions import Publish, Transaction

EXPECTS_METHOD: Final = 0
EXPECTS_HEADER: Final = 1
EXPECTS_BODY: Final = 2

PUBLISH_METHOD: Final = 40
MANDATORY: Final = 1
IMMEDIATE: Final = 2
HARD_BODY_BYTES_MAX: Final = 512 * 1024 * 1024
EXPIRATION_MS_MAX: Final = 315_360_000_000
# Instead of an expiration: there is none, and not even a queue with rules.
NEVER: Final = -1
PLAIN: Final = -2
# Properties that make the broker look into a header.
EXAMINED_FLAGS: Final = FLAG_HEADERS | FLAG_REPLY_TO | FLAG_EXPIRATION | FLAG_USER_ID | FLAG_CONTINUED


@final
class _Forward:
    """A message that was looked at, without its body; `whole_header` has the header BCC still."""

    def __init__(
        self,
        exchange: Exchange,
        header: bytes,
        whole_header: bytes,
        routing_keys: list[bytes],
        expiration_ms: i64,
    ) -> None:
        self.exchange = exchange
        self.header = header
        self.whole_header = whole_header
        self.routing_keys = routing_keys
        self.expiration_ms: i64 = expiration_ms


@final
class Publishing:
    """The content that is coming in, and where the channel's last message went.

    `expects` says which frame is next.
    """

    def __init__(
        self,
        channel: int,
        client: Client,
        vhost: VHost,
        consuming: Consuming,
        counters: MessageCounters,
        tap: Tap,
    ) -> None:
        self.expects: i64 = EXPECTS_METHOD
        self.confirms: Confirms | None = None
        self.transaction: Transaction | None = None
        self._channel: i64 = channel
        access = client.access
        assert access is not None
        self._access = access
        self._context = client.context
        self._permitted_at: i64 = -1  # the generation in which the user was allowed to use the address
        self._client = client
        self._alarm = client.context.alarm
        self._buffered = client.context.buffered
        self._counters = counters
        self._sizes = client.context.counters.sizes
        self._vhost = vhost
        self._consuming = consuming
        self._tap = tap
        self._body_bytes_max: i64 = client.context.limits.message_bytes_max
        self._bits: i64 = 0
        self._is_alike = False  # method and header are those of the message before
        self._address = b""
        self._header = b""
        self._flags: i64 = 0
        self._persistent = False
        self._missing_bytes: i64 = 0
        self._pieces: list[bytes] = []
        self._route = Route([], counters, False)

    def method(self, data: bytes, start: i64, end: i64) -> None:
        """Take Basic.Publish; the content header is expected next.

        Raises 501 if it is cut short, 540 for immediate.
        """
        at = start + 6
        if at >= end:
            raise _undecodable(data, start, end)
        stop = at + 1 + i64(data[at])
        if stop >= end:
            raise _undecodable(data, start, end)
        stop += 1 + i64(data[stop])
        if stop >= end:
            raise _undecodable(data, start, end)
        address = data[at:stop]
        bits = i64(data[stop])
        self._is_alike = bits == self._bits
        if address != self._address:
            self._is_alike = False
            self._address = address
            self._permitted_at = -1
            self._route = Route([], self._counters, False)
        self._bits = bits
        if self._bits & IMMEDIATE:
            raise MethodNotImplemented("immediate=true")
        self.expects = EXPECTS_HEADER

    def header(self, data: bytes, start: i64, end: i64) -> None:
        """Take the content header. Raises 505 for another class's, 406 for a body larger than allowed."""
        if end - start < 14:
            raise FrameError("cannot decode content header: cut short")
        class_id = read_u16(data, start)
        if class_id != BASIC:
            raise UnexpectedFrame(
                f"expected content header for class {BASIC}, got one for class {class_id} instead",
                BASIC,
                PUBLISH_METHOD,
            )
        if read_u16(data, start + 2) != 0:
            raise unexpected_in_header()
        header = data[start:end]
        if header != self._header:
            self._is_alike = False
            self._header = b""  # not to be taken for checked if the checks fail
            self._flags = property_flags(header)
            check_properties(header)
            self._persistent = is_persistent(header, self._flags)
            self._header = header
        size = read_s64(data, start + 4)
        if size == 0:
            self.expects = EXPECTS_METHOD
            self.complete(b"")
            return
        if size > HARD_BODY_BYTES_MAX or size < 0:
            raise FrameError(
                f"content body size {size} exceeds maximum allowed size {HARD_BODY_BYTES_MAX}",
                BASIC,
                PUBLISH_METHOD,
            )
        if size > self._body_bytes_max:
            self.expects = EXPECTS_METHOD
            raise PreconditionFailed(
                f"message size {size} is larger than configured max size {self._body_bytes_max}",
                BASIC,
                PUBLISH_METHOD,
            )
        self._missing_bytes = size
        self.expects = EXPECTS_BODY

    def body(self, data: bytes, start: i64, end: i64) -> bool:
        """Take a piece of the body; the last one publishes the message.

        True if it was the only one and the message was like the one before, body aside. Raises 501 for more
        than was announced.
        """
        missing = self._missing_bytes - (end - start)
        self._missing_bytes = missing
        if missing == 0:
            self.expects = EXPECTS_METHOD
            if self._pieces:
                pieces = self._pieces
                self.abandon()
                pieces.append(data[start:end])
                self.complete(b"".join(pieces))
                return False
            self.complete(data[start:end])
            return self._is_alike
        if missing > 0:
            if end > start:
                self._pieces.append(data[start:end])
                self._buffered.body_bytes += int(end - start)
            return False
        raise FrameError("content body frame exceeds remaining content size", BASIC, PUBLISH_METHOD)

    def abandon(self) -> None:
        """Forget a message that is not complete."""
        self.expects = EXPECTS_METHOD
        for piece in self._pieces:
            self._buffered.body_bytes -= len(piece)
        self._pieces = []

    def complete(self, body: bytes) -> None:
        """Publish a message with the address and the header that came last."""
        if self._alarm.is_on:
            self._client.block()
        if self._flags & EXAMINED_FLAGS:
            self._examine(body)
            return
        route = self._route
        if not route.current:
            if self._permitted_at != self._context.access_generation:
                self._check_access()
            route = self._route = self._vhost.route(self._address, self._header)
            if route.keepers is not None:
                self._have_kept(
                    Message(self._address, self._header, body, self._persistent), [], route, NEVER
                )
                return
        message = Message(self._address, self._header, body, self._persistent)
        self._hand_over(message, route, PLAIN if route.is_plain else NEVER)

    def _check_access(self) -> None:
        """Raise 403 unless the user may publish to the address."""
        if self._access.publish(self._address):
            self._permitted_at = self._context.access_generation

    def _have_kept(
        self, message: Message, routing_keys: list[bytes], route: Route, expiration_ms: i64
    ) -> None:
        """Enqueue a message and have exchanges keep it, now or at commit; it is traced now."""
        keepers = route.keepers
        assert keepers is not None
        if self._tap.tracing.is_on:
            self._tap.published(message, routing_keys, route.queues)
        if self.transaction is not None:
            mandatory = self._bits & MANDATORY != 0
            publish = Publish(message, route.queues, route.counters, mandatory, max(expiration_ms, NEVER))
            publish.keepers = keepers
            self.transaction.publish(publish)
            return
        for keeper in keepers:
            keeper.published(message)
        self._hand_over(message, route, expiration_ms)

    def _hand_over(self, message: Message, route: Route, expiration_ms: i64) -> None:
        """Enqueue a message where it goes, now or at commit.

        Return one that goes nowhere if it is mandatory. `expiration_ms` is `PLAIN` where no rules are to be
        looked at.
        """
        queues = route.queues
        mandatory = self._bits & MANDATORY != 0
        if self.transaction is not None:
            publish = Publish(message, queues, route.counters, mandatory, max(expiration_ms, NEVER))
            self.transaction.publish(publish)
            return
        self.count(message, route.counters, i64(len(queues)))
        self._enqueue(message, queues, mandatory, expiration_ms)

    def _enqueue(self, message: Message, queues: list[Queue], mandatory: bool, expiration_ms: i64) -> None:
        sequence: i64 = 0
        if not queues:
            self.unroutable(message, mandatory)
        elif expiration_ms == PLAIN:
            sequence = self._vhost.publish(message, queues)
        else:
            sequence = self._vhost.publish_by_rules(message, queues, expiration_ms)
        if self.confirms is not None:
            self.confirms.published(sequence)

    def count(self, message: Message, counters: MessageCounters, queue_count: i64) -> None:
        """Count a publish to the exchange of `counters`, which goes to so many queues."""
        self._counters.publish += 1
        counters.publish_in += 1
        counters.publish_out += queue_count
        size: i64 = len(message.body)
        self._sizes.body_bytes += size
        if size > SMALL_BODY_BYTES:
            self._sizes.count(size)

    def unroutable(self, message: Message, mandatory: bool) -> None:
        """Return a message that goes nowhere if it is mandatory."""
        if mandatory:
            self._counters.return_unroutable += 1
            self._client.output.returned(self._channel, message)
        else:
            self._counters.drop_unroutable += 1

    def _examine(self, body: bytes) -> None:
        """Publish a message with properties that the broker acts on."""
        header = self._header
        routing_keys: list[bytes] = []
        exchange_end = 1 + self._address[0]
        if self._permitted_at != self._context.access_generation:
            self._check_access()
        exchange = self._vhost.publishable(self._address[1:exchange_end])
        if self._flags & FLAG_REPLY_TO and shortstr_property(header, FLAG_REPLY_TO) == REPLY_TO:
            header = self._with_reply_queue(header)
        if self._flags & FLAG_USER_ID:
            self._check_user_id(shortstr_property(header, FLAG_USER_ID) or b"")
        expiration_ms: i64 = NEVER
        if self._flags & FLAG_EXPIRATION:
            expiration_ms = _expiration(shortstr_property(header, FLAG_EXPIRATION) or b"")
        whole_header = header
        if self._flags & FLAG_HEADERS and (b"\x02CC" in header or b"\x03BCC" in header):
            headers = headers_property(header)
            routing_keys = _sender_selected(headers, b"CC") + _sender_selected(headers, b"BCC")
            if headers.pop(b"BCC", None) is not None:
                header = with_headers(header, headers)
            for routing_key in routing_keys:
                self._access.topic(WRITE, exchange, routing_key)
        forward = _Forward(exchange, header, whole_header, routing_keys, expiration_ms)
        if exchange.deduplicates and self._flags & FLAG_HEADERS:
            self._forward_once(forward, body)
        else:
            self._forward(forward, body)

    def _forward_once(self, forward: "_Forward", body: bytes) -> None:
        """Publish a message unless it is a duplicate, and remember it, as a whole."""
        memory = self._vhost.deduplication.of_exchange(forward.exchange)
        value = memory.value_of(forward.header)
        if value is None:
            self._forward(forward, body)
        elif self.transaction is not None:
            self._forward(forward, body)
            self.transaction.deduplicate(memory, value)
        elif memory.has_seen(value):
            if self.confirms is not None:
                self.confirms.published(0)
        else:
            self._vhost.store.begin()
            try:
                self._forward(forward, body)
                memory.remember(value)
            finally:
                self._vhost.store.commit()

    def _forward(self, forward: "_Forward", body: bytes) -> None:
        """Route a message that was looked at, or have it wait."""
        exchange, header, routing_keys = forward.exchange, forward.header, forward.routing_keys
        expiration_ms = forward.expiration_ms
        if (
            exchange.delays
            and self._flags & FLAG_HEADERS
            and self._delay(exchange, forward.whole_header, body)
        ):
            return
        message = Message(self._address, header, body, self._persistent)
        if routing_keys:
            routing_keys.insert(0, self._address[2 + self._address[0] :])
            queues = self._vhost.router.resolve(exchange, routing_keys, header)
            route = Route(queues, exchange.counters, False, self._vhost.router.kept_by())
        else:
            route = self._vhost.route(self._address, header)
        if expiration_ms == NEVER and route.is_plain:
            expiration_ms = PLAIN
        if route.keepers is not None:
            self._have_kept(message, routing_keys, route, expiration_ms)
            return
        self._hand_over(message, route, expiration_ms)

    def _delay(self, exchange: Exchange, header: bytes, body: bytes) -> bool:
        """Have a message wait until it is due; false if that is now. Raises 406 for too long a delay."""
        delayed = self._vhost.delayed
        delay_ms = delay_of(header, delayed.now_ms())
        if delay_ms <= 0:
            return False
        message = Message(self._address, header, body, self._persistent)
        if self._tap.tracing.is_on:
            self._tap.published(message, [], [])
        if self.transaction is None:
            self.count(message, exchange.counters, 0)
            self._enqueue(message, delayed.queues_for(exchange, delay_ms), False, delay_ms)
        else:
            # It waits from the commit on. Only then is it known where.
            publish = Publish(message, [], exchange.counters, False, delay_ms)
            publish.delayed_by = exchange
            self.transaction.publish(publish)
        return True

    def _with_reply_queue(self, header: bytes) -> bytes:
        queue = self._consuming.reply_queue
        if queue is None:
            raise PreconditionFailed("fast reply consumer does not exist")
        return with_shortstr(header, FLAG_REPLY_TO, queue.name)

    def _check_user_id(self, user_id: bytes) -> None:
        if text(user_id) != self._client.user and not self._client.is_impersonator:
            raise PreconditionFailed(
                f"user_id property set to '{text(user_id)}' but authenticated user was '{self._client.user}'"
            )


def unexpected_in_header() -> UnexpectedFrame:
    """Return what answers anything but a content header after Basic.Publish."""
    return UnexpectedFrame(
        f"expected content header for class {BASIC}, got non content header frame instead",
        BASIC,
        PUBLISH_METHOD,
    )


def unexpected_in_body() -> UnexpectedFrame:
    """Return what answers anything but a body while one is incomplete."""
    return UnexpectedFrame("expected content body, got non content body frame instead", BASIC, PUBLISH_METHOD)


def _undecodable(data: bytes, start: i64, end: i64) -> FrameError:
    return FrameError("cannot decode " + erlang_binary(data[start + 4 : end]), BASIC, PUBLISH_METHOD)


def _expiration(expiration: bytes) -> i64:
    """Return an expiration in milliseconds; raises 406 if it is none (rabbitmq: ttl)."""
    shown = text(expiration)
    digits = expiration[1:] if expiration[:1] in (b"-", b"+") else expiration
    leftover = digits.lstrip(b"0123456789")
    if leftover == digits:
        raise PreconditionFailed(f"invalid expiration '{shown}': no_integer")
    if leftover:
        raise PreconditionFailed(f"invalid expiration '{shown}': {{leftover_string,\"{text(leftover)}\"}}")
    value = int(expiration)
    if value < 0:
        raise PreconditionFailed(f"invalid expiration '{shown}': {{value_negative,{value}}}")
    if value > EXPIRATION_MS_MAX:
        raise PreconditionFailed(f"invalid expiration '{shown}': {{value_too_large,{value}}}")
    return i64(value)


def _sender_selected(headers: Table, name: bytes) -> list[bytes]:
    """Return the routing keys in the header CC or BCC (rabbitmq: sender-selected distribution).

    Raises 406.
    """
    field = headers.get(name)
    if field is None:
        return []
    if not isinstance(field.value, list):
        raise PreconditionFailed(
            f'invalid message: {{unacceptable_type_in_header,"{text(name)}",{field.kind_name}}}'
        )
    return [item.octets() for item in field.value if item.is_string]
