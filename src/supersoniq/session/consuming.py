"""The consumers of one channel, and how much each may hold unsettled."""

from typing import Final, final

from mypy_extensions import i64

from supersoniq.amqp.errors import AccessRefused, NotAllowed, PreconditionFailed
from supersoniq.amqp.primitives import text, write_shortstr, write_u8
from supersoniq.amqp.spec import BASIC_CANCEL
from supersoniq.amqp.tables import Table
from supersoniq.broker.counters import MessageCounters
from supersoniq.broker.message import Entry, Message
from supersoniq.broker.ports import Consumer
from supersoniq.broker.queues.counting import shown
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.queues.timeline import Marks, Timeline
from supersoniq.broker.turn import Deferred
from supersoniq.broker.vhost import REPLY_TO, VHost
from supersoniq.session.access import QUEUE
from supersoniq.session.announcing import consumer_created, consumer_deleted
from supersoniq.session.client import Client
from supersoniq.session.delivery_form import DeliveryForm
from supersoniq.session.output import Output
from supersoniq.session.overdue import Overdue, Returner
from supersoniq.session.tap import Tap
from supersoniq.session.unacked import Delivery, Unacked
from supersoniq.session.waiting import Waiter, Waiting

# Deliveries of one channel that are looked at to find the oldest of each queue.
LOOKED_AT_MAX: Final = 256


@final
class Window:
    """What all consumers of a channel share.

    Delivery tags, deliveries outstanding, and the limits on them.
    """

    def __init__(
        self, channel: int, output: Output, counters: MessageCounters, tap: Tap, marks: Marks
    ) -> None:
        self.channel: i64 = channel
        self.tap = tap
        self.tracing = tap.tracing
        self.output = output
        self.counters = counters
        self.unacked = Unacked()
        self.timeline = Timeline(marks)  # of tags
        self.last_tag: i64 = 0
        self.prefetch_count: i64 = 0  # for all consumers together, 0 for no limit
        self.held_count: i64 = 0  # deliveries to consumers that are not settled
        self.waiting = Waiting()  # for some of them to be settled
        self.is_flowing = True
        self.overdue: Overdue | None = None  # where deliveries have to be settled in time

    def oldest(self) -> i64:
        """Return the lowest tag of all that is outstanding, or the last that was given."""
        delivery = self.unacked.first()
        return self.last_tag if delivery is None else delivery.tag

    def outstanding_since(self) -> list[tuple[Queue, int]]:
        """Return for each queue since when the oldest of its deliveries is outstanding.

        Queues all of whose deliveries are behind very many others are not among them.
        """
        found: dict[Queue, int] = {}
        for delivery in self.unacked.beginning(LOOKED_AT_MAX):
            if delivery.queue not in found:
                found[delivery.queue] = int(self.timeline.time_of(delivery.tag))
        return list(found.items())


@final
class ChannelConsumer(Consumer, Waiter):
    """One Basic.Consume."""

    def __init__(
        self,
        tag: bytes,
        queue: Queue,
        window: Window,
        no_ack: bool,
        exclusive: bool,
        priority: int,
        prefetch: int,
    ) -> None:
        super().__init__(tag, no_ack, exclusive, priority)
        self.queue = queue
        self.prefetch_count: i64 = prefetch
        self.held_count: i64 = 0
        self.timeout_ms: i64 = 0  # in which a delivery has to be settled, 0 for ever
        self.owner: Consuming | None = None
        self.arguments: Table = {}  # of Basic.Consume
        self._window = window
        self._output = window.output
        self._form = DeliveryForm(window.channel, tag)

    @property
    def channel_number(self) -> int:
        """The number of its channel."""
        return int(self._window.channel)

    @property
    def client(self) -> Client | None:
        """Who consumes; None once it was cancelled."""
        return None if self.owner is None else self.owner.client

    def is_ready(self) -> bool:
        """Whether its client has room, its channel flows, and both limits leave space."""
        window = self._window
        if self._output.is_full:
            self._output.waiting.add(self)
            return False
        if not window.is_flowing:
            return False
        if self.no_ack:
            return True
        if self.prefetch_count > 0 and self.held_count >= self.prefetch_count:
            return False
        if 0 < window.prefetch_count <= window.held_count:
            window.waiting.add(self)
            return False
        return True

    def offered(self) -> None:
        """Be offered messages again, if it still consumes: there may be room."""
        if self.parked and self.owner is not None:
            self.queue.unpark(self)

    def deliver(self, entry: Entry) -> None:
        """Write Basic.Deliver and keep the entry until it is settled."""
        window = self._window
        tag = window.last_tag + 1
        window.last_tag = tag
        if tag >= window.timeline.next_mark:
            window.timeline.mark(tag, window.oldest())
        window.unacked.add(Delivery(tag, entry, self.queue, self))
        window.held_count += 1
        self.held_count += 1
        message = entry.message
        counters = window.counters
        counters.deliver += 1
        if entry.delivery_count > 0:
            counters.redeliver += 1
            message = shown(self.queue.rules, entry)
        self._output.deliver(self._form, tag, entry.redelivered, message)
        if self.timeout_ms > 0 and window.overdue is not None:
            window.overdue.watch(tag, self.timeout_ms)
        if window.tracing.is_on:
            window.tap.delivered(self.queue, message, entry.redelivered)

    def deliver_settled(self, message: Message, redelivered: bool) -> None:
        """Write Basic.Deliver."""
        window = self._window
        window.counters.deliver_no_ack += 1
        if redelivered:
            window.counters.redeliver += 1
        tag = window.last_tag + 1
        window.last_tag = tag
        self._output.deliver(self._form, tag, redelivered, message)
        if window.tracing.is_on:
            window.tap.delivered(self.queue, message, redelivered)

    def cancelled(self) -> None:
        """Tell the client that its queue is gone."""
        if self.owner is not None:
            self.owner.queue_gone(self)


@final
class _Returner(Returner):
    """Gives back deliveries of one channel."""

    def __init__(self, consuming: "Consuming", window: Window) -> None:
        self._consuming = consuming
        self._window = window

    def give_back(self, tag: i64) -> bool:
        """Requeue one, if it is still outstanding."""
        delivery = self._window.unacked.take(tag)
        if delivery is None:
            return False
        delivery.queue.requeue(delivery.entry)
        self._consuming.released(delivery)
        return True


@final
class Consuming(Deferred):
    """Basic.Consume, Cancel and Qos of one channel."""

    def __init__(self, client: Client, vhost: VHost, window: Window) -> None:
        super().__init__()
        access = client.access
        assert access is not None
        self._access = access
        self._client = client
        self._vhost = vhost
        self._window = window
        self._consumers: dict[bytes, ChannelConsumer] = {}
        self.prefetch_count = 0  # for consumers that start from now on
        self._gone: list[bytes] = []  # tags of consumers whose queue was deleted in this turn
        self.reply_queue: Queue | None = None

    @property
    def client(self) -> Client:
        """Whose channel it is."""
        return self._client

    def qos(self, prefetch_count: int, is_global: bool) -> None:
        """Limit deliveries outstanding: of the channel at once, or of each consumer that starts later.

        A limit per consumer takes the channel's limit away (rabbitmq: qos).
        """
        if is_global:
            self._window.prefetch_count = prefetch_count
        else:
            self._window.prefetch_count = 0
            self.prefetch_count = prefetch_count
        self.offer_again()

    def consumers(self) -> list[ChannelConsumer]:
        """Return all consumers of the channel, in order."""
        return list(self._consumers.values())

    def flow(self, active: bool) -> None:
        """Pause deliveries to the channel, or let them go on."""
        self._window.is_flowing = active
        if active:
            self.offer_again()

    def offer_again(self) -> None:
        """Offer messages to all consumers that were not ready: something has changed."""
        for consumer in self._consumers.values():
            consumer.offered()

    def consume(
        self, queue_name: bytes, tag: bytes, no_ack: bool, exclusive: bool, arguments: Table
    ) -> ChannelConsumer:
        """Make a consumer that `start` subscribes; raises 403, 404, 405, 406 and 530 as RabbitMQ does."""
        if not tag:
            tag = b"amq.ctag-" + self._client.context.names.unique()
        if tag in self._gone:
            self.run()  # or the client would take it for the end of the consumer it starts now
        if tag in self._consumers:
            raise NotAllowed(f"attempt to reuse consumer tag '{text(tag)}'")
        if queue_name == REPLY_TO:
            queue = self._reply_queue(no_ack)
        else:
            self._access.read(QUEUE, queue_name)
            queue = self._vhost.queue(queue_name, self._client.connection)
        consumers = queue.consumers
        single = queue.options.single_active_consumer
        if consumers.exclusive or (exclusive and (single or len(consumers) > 0)):
            raise AccessRefused(f"queue '{text(queue_name)}' in vhost '{self._vhost.name}' in exclusive use")
        consumer = ChannelConsumer(
            tag,
            queue,
            self._window,
            no_ack,
            exclusive,
            _integer(arguments, b"x-priority", 0),
            self.prefetch_count,
        )
        consumer.owner = self
        consumer.arguments = arguments
        consumer.timeout_ms = self._timeout_ms(arguments, queue)
        if consumer.timeout_ms > 0 and self._window.overdue is None:
            self._window.overdue = Overdue(_Returner(self, self._window), self._client.context.turn.timers)
        return consumer

    def _timeout_ms(self, arguments: Table, queue: Queue) -> i64:
        """Return in how long deliveries have to be settled, 0 for ever (rabbitmq: consumers)."""
        wish = _integer(arguments, b"x-consumer-timeout", -1)
        if wish >= 0:
            return wish
        if queue.rules.consumer_timeout_ms >= 0:
            return queue.rules.consumer_timeout_ms
        return self._client.context.limits.consumer_timeout_ms

    def start(self, consumer: ChannelConsumer, arguments: Table) -> None:
        """Subscribe, after Consume-Ok was written: deliveries come after it."""
        self._consumers[consumer.tag] = consumer
        if consumer.queue is not self.reply_queue:
            consumer_created(
                self._client,
                int(self._window.channel),
                consumer.queue.name,
                consumer,
                int(consumer.prefetch_count),
                arguments,
            )
        consumer.queue.subscribe(consumer)

    def _reply_queue(self, no_ack: bool) -> Queue:
        """Return the queue for direct reply-to (rabbitmq: direct-reply-to), one a channel."""
        if self.reply_queue is not None:
            raise PreconditionFailed("reply consumer already set")
        if not no_ack:
            raise PreconditionFailed("reply consumer cannot acknowledge")
        self.reply_queue = self._vhost.open_reply_queue()
        return self.reply_queue

    def cancel(self, tag: bytes) -> None:
        """Cancel a consumer; an unknown tag is fine. What it holds stays outstanding."""
        consumer = self._consumers.pop(tag, None)
        if consumer is not None:
            self._stop(consumer)

    def cancel_all(self) -> None:
        """Cancel every consumer: the channel closes."""
        consumers = list(self._consumers.values())
        self._consumers.clear()
        self._gone.clear()  # a channel that is closed is sent nothing more
        for consumer in consumers:
            self._stop(consumer)

    def _stop(self, consumer: ChannelConsumer) -> None:
        consumer.owner = None
        self._gone_from(consumer)
        self._vhost.unsubscribe(consumer.queue, consumer)

    def _gone_from(self, consumer: ChannelConsumer) -> None:
        self._window.waiting.remove(consumer)
        self._client.output.waiting.remove(consumer)
        if consumer.queue is self.reply_queue:
            self.reply_queue = None
        else:
            consumer_deleted(self._client, int(self._window.channel), consumer.queue.name, consumer)

    def queue_gone(self, consumer: ChannelConsumer) -> None:
        """Forget a consumer whose queue was deleted and tell the client, if it can take that."""
        consumer.owner = None
        self._gone_from(consumer)
        self._consumers.pop(consumer.tag, None)
        if self._client.takes_cancel:
            self._gone.append(consumer.tag)
            self._client.context.turn.confirm(self)

    def run(self) -> bool:
        """Write Basic.Cancel for consumers whose queue is gone, after the answer to whatever deleted it."""
        for tag in self._gone:
            writer = self._client.output.begin(self._window.channel, BASIC_CANCEL)
            write_shortstr(writer, tag)
            write_u8(writer, 1)
            self._client.output.end()
        self._gone.clear()
        return False

    def released(self, delivery: Delivery) -> None:
        """Take note that a delivery is no longer outstanding: whoever waited for room may have some now."""
        consumer = delivery.consumer
        if consumer is None:
            return
        window = self._window
        window.held_count -= 1
        assert isinstance(consumer, ChannelConsumer)
        consumer.held_count -= 1
        if window.prefetch_count > 0:
            window.waiting.offer()
        if consumer.parked:
            consumer.offered()


def _integer(arguments: Table, name: bytes, default: int) -> int:
    """Return an argument of Basic.Consume; raises 406 for what is no integer."""
    argument = arguments.get(name)
    if argument is None:
        return default
    if not argument.is_integer:
        raise PreconditionFailed(
            f"invalid arg '{text(name)}' for consumer: {{unacceptable_type,{argument.kind_name}}}"
        )
    return argument.integer()
