"""One channel: which method goes where, what is allowed when, and what its end brings about."""

from typing import Final, final

from mypy_extensions import i64

from supersoniq.amqp.errors import (
    ChannelFault,
    CommandInvalid,
    FrameError,
    MethodNotImplemented,
    PreconditionFailed,
    UnexpectedFrame,
)
from supersoniq.amqp.methods import Arguments
from supersoniq.amqp.primitives import read_u32, write_shortstr, write_u8
from supersoniq.amqp.spec import (
    BASIC_ACK,
    BASIC_CANCEL,
    BASIC_CANCEL_OK,
    BASIC_CONSUME,
    BASIC_CONSUME_OK,
    BASIC_GET,
    BASIC_GET_EMPTY,
    BASIC_NACK,
    BASIC_PUBLISH,
    BASIC_QOS,
    BASIC_QOS_OK,
    BASIC_RECOVER,
    BASIC_RECOVER_ASYNC,
    BASIC_RECOVER_OK,
    BASIC_REJECT,
    CHANNEL_FLOW,
    CHANNEL_FLOW_OK,
    CHANNEL_OPEN,
    CONFIRM_SELECT,
    CONFIRM_SELECT_OK,
    TX_COMMIT,
    TX_COMMIT_OK,
    TX_ROLLBACK,
    TX_ROLLBACK_OK,
    TX_SELECT,
    TX_SELECT_OK,
)
from supersoniq.broker.message import Entry
from supersoniq.broker.publishing import REFUSED
from supersoniq.broker.queues.counting import shown
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.vhost import VHost
from supersoniq.session.announcing import channel_closed, channel_created
from supersoniq.session.client import Client
from supersoniq.session.confirms import Confirms
from supersoniq.session.consuming import ChannelConsumer, Consuming, Window
from supersoniq.session.publishing import (
    EXPECTS_BODY,
    EXPECTS_HEADER,
    EXPECTS_METHOD,
    Publishing,
    unexpected_in_body,
    unexpected_in_header,
)
from supersoniq.session.settling import Settling
from supersoniq.session.tap import Tap
from supersoniq.session.topology import Topology
from supersoniq.session.transactions import REJECTED, REQUEUED, RETURNED, Transaction
from supersoniq.session.unacked import Delivery

NO_ACK: Final = 2
EXCLUSIVE: Final = 4


@final
class Channel:
    """One channel of a connection.

    `is_closing` is set while the client has yet to answer our Channel.Close.
    """

    def __init__(self, number: int, client: Client, vhost: VHost) -> None:
        self.number: i64 = number
        self.is_closing = False
        self._client = client
        self._vhost = vhost
        self._output = client.output
        self.counters = vhost.counters.channels.open()
        self._tap = Tap(number, client, vhost)
        marks = client.context.turn.marks
        self._window = Window(number, client.output, self.counters, self._tap, marks)
        self._consuming = Consuming(client, vhost, self._window)
        self._publishing = Publishing(number, client, vhost, self._consuming, self.counters, self._tap)
        self._settling = Settling(self._window, self._consuming)
        self._topology = Topology(number, client, vhost)
        vhost.holders[self._settling] = None
        channel_created(client, number)

    # What others may want to know

    @property
    def consumers(self) -> list[ChannelConsumer]:
        """The consumers, in order."""
        return self._consuming.consumers()

    @property
    def prefetch_count(self) -> int:
        """The limit for each consumer that starts from now on, 0 for none."""
        return self._consuming.prefetch_count

    @property
    def global_prefetch_count(self) -> int:
        """The limit for all consumers together, 0 for none."""
        return int(self._window.prefetch_count)

    @property
    def is_confirming(self) -> bool:
        """Whether publishes are confirmed."""
        return self._publishing.confirms is not None

    @property
    def is_transactional(self) -> bool:
        """Whether publishes and settlements wait for a commit."""
        return self._publishing.transaction is not None

    @property
    def unacked_count(self) -> int:
        """Deliveries that are not settled."""
        return int(self._window.unacked.count)

    def outstanding_since(self) -> list[tuple[Queue, int]]:
        """Return for each queue since when, in milliseconds since the epoch, deliveries are not settled."""
        return self._window.outstanding_since()

    @property
    def unconfirmed_count(self) -> int:
        """Publishes that are neither acked nor nacked."""
        confirms = self._publishing.confirms
        return 0 if confirms is None else confirms.waiting_count

    @property
    def uncommitted_count(self) -> int:
        """Publishes that wait for a commit."""
        transaction = self._publishing.transaction
        return 0 if transaction is None else transaction.publish_count

    @property
    def acks_uncommitted_count(self) -> int:
        """Settlements that wait for a commit."""
        transaction = self._publishing.transaction
        return 0 if transaction is None else sum([len(each.deliveries) for each in transaction.settlements])

    # Frames

    def method(self, method: i64, data: bytes, start: i64, end: i64) -> None:
        """Carry out a method of any class but connection, Channel.Close and Close-Ok aside."""
        expects = self._publishing.expects
        if expects != EXPECTS_METHOD:
            raise unexpected_in_header() if expects == EXPECTS_HEADER else unexpected_in_body()
        if method == BASIC_PUBLISH:
            self._publishing.method(data, start, end)
        elif method == BASIC_ACK:
            self._settling.ack(data, start, end)
        elif not self._basic(method, data, start, end):
            arguments = Arguments(data, start, end)
            number = int(method)
            if self._topology.method(number, arguments):
                self._hold_answer(self._vhost.take_sequence())
            elif not self._mode(number, arguments):
                self._refuse(number)

    def _hold_answer(self, sequence: i64) -> None:
        """Have the answer that was written last leave when `sequence` is safe."""
        if sequence > self._vhost.store.durable():
            self._output.hold(sequence, self._vhost.store)

    def header(self, data: bytes, start: i64, end: i64) -> None:
        """Take a content header."""
        expects = self._publishing.expects
        if expects == EXPECTS_HEADER:
            self._publishing.header(data, start, end)
        elif expects == EXPECTS_METHOD:
            raise _unexpected_content()
        else:
            raise unexpected_in_body()

    def body(self, data: bytes, start: i64, end: i64) -> bool:
        """Take a piece of a body; true if it ended a message in one piece that was like the one before."""
        expects = self._publishing.expects
        if expects == EXPECTS_BODY:
            return self._publishing.body(data, start, end)
        if expects == EXPECTS_METHOD:
            raise _unexpected_content()
        raise unexpected_in_header()

    def repeated_body(self, data: bytes, start: i64, end: i64) -> None:
        """Take the body of a message that is like the one before."""
        self._publishing.complete(data[start:end])

    def close(self) -> None:
        """Cancel the consumers, then requeue what is outstanding, so that nothing comes back here."""
        self._publishing.abandon()
        if self._publishing.transaction is not None:
            self._publishing.transaction.drain_publishes()
        if self._publishing.confirms is not None:
            self._publishing.confirms.close()
        self._consuming.cancel_all()
        self._settling.stop()
        self._settling.roll_back()
        self._settling.recover()
        self._vhost.holders.pop(self._settling, None)
        self._vhost.counters.channels.close(self.counters)
        channel_closed(self._client, int(self.number))

    def _basic(self, method: i64, data: bytes, start: i64, end: i64) -> bool:
        """Carry out a method of class basic; false if it is none."""
        if method == BASIC_NACK:
            self._nack(Arguments(data, start, end))
        elif method == BASIC_REJECT:
            arguments = Arguments(data, start, end)
            tag = arguments.s64()
            self._settling.settle_one(tag, REQUEUED if arguments.u8() & 1 else REJECTED)
        elif method == BASIC_GET:
            self._fetch(Arguments(data, start, end))
        elif method == BASIC_CONSUME:
            self._consume(Arguments(data, start, end))
        elif method == BASIC_CANCEL:
            self._cancel(Arguments(data, start, end))
        elif method == BASIC_QOS:
            self._qos(Arguments(data, start, end))
        elif method == BASIC_RECOVER or method == BASIC_RECOVER_ASYNC:
            self._recover(method, Arguments(data, start, end))
        else:
            return method == BASIC_CANCEL_OK
        return True

    def _nack(self, arguments: Arguments) -> None:
        tag, bits = arguments.s64(), arguments.u8()
        verdict = RETURNED if bits & 2 else REJECTED
        if bits & 1:
            self._settling.settle_up_to(tag, verdict)
        else:
            self._settling.settle_one(tag, verdict)

    def _recover(self, method: i64, arguments: Arguments) -> None:
        if not arguments.u8() & 1:
            raise MethodNotImplemented("requeue=false")
        self._settling.recover()
        if method == BASIC_RECOVER:
            self._output.method(self.number, BASIC_RECOVER_OK)

    def _qos(self, arguments: Arguments) -> None:
        prefetch_bytes, prefetch_count, bits = arguments.u32(), arguments.u16(), arguments.u8()
        if prefetch_bytes:
            raise MethodNotImplemented(f"prefetch_size!=0 ({prefetch_bytes})")
        self._consuming.qos(prefetch_count, bits & 1 != 0)
        self._output.method(self.number, BASIC_QOS_OK)

    def _consume(self, arguments: Arguments) -> None:
        arguments.u16()
        name, tag, bits, table = arguments.shortstr(), arguments.shortstr(), arguments.u8(), arguments.table()
        consumer = self._consuming.consume(
            self._topology.named(name), tag, bits & NO_ACK != 0, bits & EXCLUSIVE != 0, table
        )
        if not bits & 8:
            write_shortstr(self._output.begin(self.number, BASIC_CONSUME_OK), consumer.tag)
            self._output.end()
        self._consuming.start(consumer, table)

    def _cancel(self, arguments: Arguments) -> None:
        tag, bits = arguments.shortstr(), arguments.u8()
        self._consuming.cancel(tag)
        if not bits & 1:
            write_shortstr(self._output.begin(self.number, BASIC_CANCEL_OK), tag)
            self._output.end()
        self._hold_answer(self._vhost.take_sequence())

    def _fetch(self, arguments: Arguments) -> None:
        """Carry out Basic.Get."""
        arguments.u16()
        name, no_ack = arguments.shortstr(), arguments.u8() & 1 != 0
        queue = self._topology.readable(name)
        self._vhost.disuses.used(queue)
        entry = queue.take(no_ack)
        if entry is None:
            self.counters.get_empty += 1
            write_shortstr(self._output.begin(self.number, BASIC_GET_EMPTY), b"")
            self._output.end()
            return
        window = self._window
        window.last_tag += 1
        self._count_get(entry, no_ack)
        if not no_ack:
            if window.last_tag >= window.timeline.next_mark:
                window.timeline.mark(window.last_tag, window.oldest())
            window.unacked.add(Delivery(window.last_tag, entry, queue, None))
        message = shown(queue.rules, entry)
        self._output.got(self.number, window.last_tag, entry.redelivered, message, queue.ready_count)
        if self._tap.tracing.is_on:
            self._tap.delivered(queue, message, entry.redelivered)

    def _count_get(self, entry: Entry, no_ack: bool) -> None:
        if no_ack:
            self.counters.get_no_ack += 1
        else:
            self.counters.get += 1
        if entry.delivery_count > 0:
            self.counters.redeliver += 1

    def _mode(self, method: int, arguments: Arguments) -> bool:
        """Carry out a method of class channel, confirm or tx; false if it is none."""
        if method == CHANNEL_FLOW:
            active = arguments.u8() & 1
            self._consuming.flow(active != 0)
            write_u8(self._output.begin(self.number, CHANNEL_FLOW_OK), active)
            self._output.end()
        elif method == CONFIRM_SELECT:
            self._select_confirms(arguments)
        elif method == TX_SELECT:
            self._select_transactions()
        elif method == TX_COMMIT:
            self._commit()
        elif method == TX_ROLLBACK:
            self._roll_back()
        else:
            return False
        return True

    def _select_confirms(self, arguments: Arguments) -> None:
        nowait = arguments.u8() & 1
        publishing = self._publishing
        if publishing.transaction is not None:
            raise PreconditionFailed("cannot switch from tx to confirm mode")
        if publishing.confirms is None:
            publishing.confirms = Confirms(
                int(self.number),
                self._output,
                self._client.context.turn,
                self._vhost.store,
                self.counters,
            )
        if not nowait:
            self._output.method(self.number, CONFIRM_SELECT_OK)

    def _select_transactions(self) -> None:
        publishing = self._publishing
        if publishing.confirms is not None:
            raise PreconditionFailed("cannot switch from confirm to tx mode")
        if publishing.transaction is None:
            publishing.transaction = self._settling.transaction = Transaction(self._client.context.buffered)
        self._output.method(self.number, TX_SELECT_OK)

    def _transaction(self) -> Transaction:
        transaction = self._publishing.transaction
        if transaction is None:
            raise PreconditionFailed("channel is not transactional")
        return transaction

    def _commit(self) -> None:
        transaction = self._transaction()
        store = self._vhost.store
        is_partial = False
        store.begin()
        for publish in transaction.drain_publishes():
            memory = publish.memory
            if memory is not None:
                if memory.has_seen(publish.value):
                    continue
                memory.remember(publish.value)
            for keeper in publish.keepers:
                keeper.published(publish.message)
            queues = [queue for queue in publish.queues if not queue.deleted]
            self._publishing.count(publish.message, publish.counters, len(queues))
            if publish.delayed_by is not None:
                queues = self._vhost.delayed.queues_for(publish.delayed_by, publish.expiration_ms)
            if queues:
                sequence = self._vhost.publish_by_rules(publish.message, queues, publish.expiration_ms)
                is_partial |= sequence == REFUSED
            elif not publish.queues and publish.delayed_by is None:
                self._publishing.unroutable(publish.message, publish.mandatory)
        for settlement in transaction.drain_settlements():
            self._settling.apply(settlement.deliveries, settlement.verdict)
        sequence = store.commit()
        if is_partial:
            raise PreconditionFailed("partial tx completion")
        self._output.method(self.number, TX_COMMIT_OK)
        self._hold_answer(sequence)

    def _roll_back(self) -> None:
        self._transaction().drain_publishes()
        self._settling.roll_back()
        self._output.method(self.number, TX_ROLLBACK_OK)

    def _refuse(self, method: int) -> None:
        if method == CHANNEL_OPEN:
            raise ChannelFault("second 'channel.open' seen")
        raise CommandInvalid(f"unknown or unexpected method {method >> 16}.{method & 0xFFFF}")


def _unexpected_content() -> UnexpectedFrame:
    return UnexpectedFrame("expected method frame, got non method frame instead", 0, 0)


def method_number(data: bytes, start: i64, end: i64) -> i64:
    """Return the number of the method in a method frame's payload; raises 501 if there is none."""
    if end - start < 4:
        raise FrameError("cannot decode method: cut short", 0, 0)
    return read_u32(data, start)
