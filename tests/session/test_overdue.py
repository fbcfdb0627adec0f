"""What is not settled in time goes back alone; channel, consumer and a late ack are fine."""

from mypy_extensions import i64
from tests.conformance.codec import Basic, Channel, Queue, Tx
from tests.fakes import FakeClock
from tests.session.script import ChannelScript, Node

from supersoniq.broker.queues.queue import Queue as BrokerQueue
from supersoniq.broker.turn import Turn
from supersoniq.session.context import Limits
from supersoniq.session.overdue import Overdue, Returner


class Outstanding(Returner):
    """Deliveries by tag."""

    def __init__(self, *tags: int) -> None:
        self.tags = set(tags)

    def give_back(self, tag: i64) -> bool:
        had = int(tag) in self.tags
        self.tags.discard(int(tag))
        return had


def timed(node: Node, timeout: int = 100, name: str = "q") -> ChannelScript:
    """A channel with a consumer that has so much time."""
    channel = node.channel()
    channel >> Basic.consume(
        queue=name, consumer_tag="c", arguments={"x-consumer-timeout": timeout}, nowait=True
    )
    return channel


def milliseconds_until_ready(node: Node, queue: BrokerQueue) -> int | None:
    """After how long a message comes back, None if that takes too long."""
    for milliseconds in range(1, 700):
        node.pass_time(1)
        if queue.ready_count:
            return milliseconds
    return None


def test_deliveries_are_given_back_in_time_each_by_its_own() -> None:
    clock, outstanding = FakeClock(), Outstanding(1, 2, 3, 4)
    turn = Turn(clock)
    overdue = Overdue(outstanding, turn.timers)
    for tag, timeout in ((1, 300), (2, 100), (3, 100)):
        overdue.watch(tag, timeout)
    clock.move(turn, 50)
    overdue.watch(4, 100)
    outstanding.tags.discard(2)
    clock.move(turn, 50)
    assert outstanding.tags == {1, 4}
    assert [overdue.is_late(tag) for tag in (1, 2, 3, 4)] == [False, False, True, False]
    clock.move(turn, 50)
    assert outstanding.tags == {1}
    clock.move(turn, 150)
    assert outstanding.tags == set()
    overdue.forgive(3)
    assert not overdue.is_late(3)
    assert clock.wanted == 0


def test_nothing_is_given_back_after_the_end() -> None:
    clock, outstanding = FakeClock(), Outstanding(1)
    turn = Turn(clock)
    overdue = Overdue(outstanding, turn.timers)
    overdue.watch(1, 100)
    overdue.stop()
    clock.move(turn, 1_000)
    assert outstanding.tags == {1}


def test_only_the_overdue_message_goes_back_and_its_late_ack_is_fine() -> None:
    node = Node()
    node.queue()
    channel = timed(node)
    publisher = node.channel()
    publisher.publish(b"slow")
    node.pass_time(60)
    publisher.publish(b"fast")
    channel << Basic.deliver(delivery_tag=1, body=b"slow", redelivered=False)
    channel << Basic.deliver(delivery_tag=2, body=b"fast")
    node.pass_time(40)
    channel << Basic.deliver(delivery_tag=3, body=b"slow", redelivered=True)
    channel >> Basic.ack(delivery_tag=1)
    channel >> Basic.ack(delivery_tag=2)
    channel >> Basic.ack(delivery_tag=3)
    channel >> Basic.ack(delivery_tag=1)
    assert channel.closed_with(406).reply_text.endswith("unknown delivery tag 1")


def test_ack_of_several_may_name_a_late_one() -> None:
    node = Node()
    node.queue()
    channel = timed(node)
    node.channel().publish(b"1", b"2")
    channel >> Basic.cancel(consumer_tag="c")
    node.pass_time(100)
    assert node.vhost.queues[b"q"].ready_count == 2
    channel >> Basic.ack(delivery_tag=2, multiple=True)
    channel >> Basic.nack(delivery_tag=1, requeue=False)
    channel >> Channel.close()
    assert node.vhost.queues[b"q"].ready_count == 2


def test_queue_and_node_have_timeouts_too_and_the_consumers_wish_counts_first() -> None:
    node = Node(limits=Limits(consumer_timeout_ms=500))
    (
        node.channel()
        >> Queue.declare(queue="t", arguments={"x-consumer-timeout": 200})
        >> Queue.declare(queue="u")
    )
    wishes = {"t": None, "u": None, "t 50": 50, "t 0": 0}
    back_at: dict[str, int | None] = {}
    for name, wish in wishes.items():
        queue = node.vhost.queues[name[0].encode()]
        channel = node.channel()
        arguments = {} if wish is None else {"x-consumer-timeout": wish}
        channel >> Basic.consume(queue=name[0], consumer_tag="c", arguments=arguments)
        node.channel().publish(b"x", key=name[0])
        channel >> Basic.cancel(consumer_tag="c")
        back_at[name] = milliseconds_until_ready(node, queue)
        channel.client.session.lost()
        queue.purge()
    assert back_at == {"t": 200, "u": 500, "t 50": 50, "t 0": None}


def test_what_a_transaction_has_settled_does_not_go_back() -> None:
    node = Node()
    node.queue()
    channel = timed(node)
    channel >> Tx.select()
    node.channel().publish(b"1")
    channel >> Basic.ack(delivery_tag=1)
    node.pass_time(200)
    channel >> Tx.commit()
    assert node.vhost.queues[b"q"].ready_count == 0
    assert int(node.vhost.queues[b"q"].unacked_count) == 0


def test_timeout_has_to_be_an_integer() -> None:
    node = Node()
    node.queue()
    channel = node.channel()
    channel >> Basic.consume(queue="q", arguments={"x-consumer-timeout": "soon"})
    close = channel.closed_with(406)
    assert close.reply_text.endswith("'x-consumer-timeout' for consumer: {unacceptable_type,longstr}")
