"""Producers and consumers on a transport that keeps what is written."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.client.pipe import Pipe, delivery, frames_in, methods_in

from supersoniq.amqp.spec import BASIC_ACK, BASIC_PUBLISH
from supersoniq.client.address import Address
from supersoniq.client.channel import Channel
from supersoniq.client.connection import Connection
from supersoniq.client.errors import ChannelClosed, ClientError
from supersoniq.perf.batches import MessageShape, encode_batch
from supersoniq.perf.engine import Consumer, Ledger, Producer

MANY = 1_000_000_000


class Bench:
    """A ledger with a producer on a pipe."""

    def __init__(
        self,
        messages: int = 4,
        backlog_max: int = 0,
        copies: int = 1,
        window: int = 0,
        flush: bool = False,
        stamped: bool = False,
        capacity: int = MANY,
        until_confirm: bool = False,
    ) -> None:
        self.ledger = Ledger(backlog_max, copies)
        batch = encode_batch(MessageShape("", 16), ["a", "bb"], messages)
        self.producer = Producer(self.ledger, batch, window, flush, stamped, until_confirm)
        self.connection = Connection(Address(), 0, self.producer)
        # mypyc's classes are no asyncio.Protocol; the transport only calls pause_writing.
        self.pipe = Pipe(self.connection, capacity)  # type: ignore[arg-type]
        self.connection.connection_made(self.pipe)
        self.pipe.writes.clear()
        self.producer.start(self.connection.wire)
        self.ledger.is_running = True

    @property
    def published(self) -> int:
        """Counted in what was written."""
        return methods_in(self.pipe.written).count(BASIC_PUBLISH)


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test())


@given(st.integers(1, 9), st.integers(1, 50))
def test_exactly_the_count_is_published_whatever_the_batch(messages: int, count: int) -> None:
    async def test() -> None:
        bench = Bench(messages)
        bench.ledger.published_max = count
        reached = bench.ledger.until(published=count)
        bench.producer.pump()
        await asyncio.wait_for(reached, 5)
        assert bench.published == bench.ledger.published == count

    run(test)


def test_batch_is_one_write_and_flushed_messages_are_one_each() -> None:
    async def test() -> None:
        for flush, writes in ((False, 2), (True, 8)):
            bench = Bench(4, flush=flush)
            bench.ledger.published_max = 8
            bench.producer.pump()
            assert len(bench.pipe.writes) == writes
            assert bench.published == 8
            assert bench.pipe.held_at == (0 if flush else 262144)

    run(test)


def test_full_transport_stops_the_producer_until_it_has_room() -> None:
    async def test() -> None:
        bench = Bench(4, capacity=2)
        bench.ledger.published_max = 100
        bench.producer.pump()
        assert bench.published == 8
        bench.producer.pump()
        assert bench.published == 8
        bench.connection.resume_writing()
        assert bench.published == 100

    run(test)


def test_backlog_limits_what_is_not_delivered() -> None:
    async def test() -> None:
        bench = Bench(4, backlog_max=10)
        bench.ledger.published_max = MANY
        bench.producer.pump()
        assert bench.published == 8
        bench.ledger.delivered = 2
        bench.ledger.feed_starving()
        assert bench.published == 12
        bench.ledger.feed_starving()
        assert bench.published == 12

    run(test)


def test_each_copy_of_a_fanout_counts_for_the_backlog() -> None:
    ledger = Ledger(100, 10)
    ledger.published_max = MANY
    assert ledger.room() == 10
    ledger.published, ledger.delivered = 10, 35
    assert ledger.room() == 3


def test_one_message_at_a_time_waits_for_its_delivery() -> None:
    async def test() -> None:
        bench = Bench(1, backlog_max=1, stamped=True)
        bench.ledger.published_max = MANY
        bench.producer.pump()
        for delivered in range(1, 4):
            assert bench.published == delivered
            bench.ledger.delivered = delivered
            bench.ledger.feed_starving()

    run(test)


def test_confirms_move_the_window_in_any_order() -> None:
    async def test() -> None:
        bench = Bench(1, window=5)
        bench.ledger.published_max = MANY
        bench.producer.pump()
        assert bench.published == 5
        for tag, multiple, published in (
            (3, False, 6),
            (1, False, 7),
            (2, False, 8),
            (6, True, 11),
            (8, False, 12),
        ):
            bench.producer.confirmed(1, tag, multiple, True)
            bench.producer.turn_ended()
            assert bench.published == published

    run(test)


def test_nacks_are_counted_and_move_the_window() -> None:
    async def test() -> None:
        bench = Bench(1, window=1)
        bench.ledger.published_max = MANY
        bench.producer.pump()
        bench.producer.confirmed(1, 1, False, False)
        bench.producer.turn_ended()
        assert (bench.published, bench.ledger.nacked) == (2, 1)

    run(test)


def test_what_was_published_waits_for_its_confirm() -> None:
    async def test() -> None:
        bench = Bench(1, window=5)
        bench.ledger.published_max = 4
        bench.producer.pump()
        for tag, multiple, unconfirmed in ((3, False, 3), (2, True, 1), (4, False, 0)):
            bench.producer.confirmed(1, tag, multiple, True)
            assert bench.producer.unconfirmed() == unconfirmed

    run(test)


def test_latency_until_the_confirm_counts_each_message_once_whatever_the_order() -> None:
    async def test() -> None:
        bench = Bench(2, window=6, stamped=True, until_confirm=True)
        latencies = bench.ledger.latencies
        bench.ledger.published_max = 6
        before = time.monotonic_ns()
        bench.producer.pump()
        for tag, multiple, counted in (
            (2, False, 1),
            (3, True, 3),
            (6, False, 4),
            (5, True, 6),
            (6, True, 6),
        ):
            bench.producer.confirmed(1, tag, multiple, True)
            assert latencies.count == counted
        assert 0 < latencies.minimum <= latencies.maximum <= time.monotonic_ns() - before

    run(test)


def test_stamped_messages_carry_the_time_and_keep_their_shape() -> None:
    async def test() -> None:
        bench = Bench(2, stamped=True)
        bench.ledger.published_max = 4
        before = time.monotonic_ns()
        bench.producer.pump()
        frames = frames_in(bench.pipe.written)
        stamps = [int.from_bytes(payload[:8]) for kind, _, payload in frames if kind == "body"]
        assert [payload[3:] for kind, _, payload in frames if kind == BASIC_PUBLISH] == [
            b"\x01a\x00",
            b"\x02bb\x00",
            b"\x01a\x00",
            b"\x02bb\x00",
        ]
        assert stamps == sorted(stamps)
        assert before <= stamps[0] <= stamps[-1] <= time.monotonic_ns()

    run(test)


def test_publish_at_refuses_what_has_no_room() -> None:
    async def test() -> None:
        bench = Bench(1)
        bench.ledger.published_max = 1
        assert bench.producer.publish_at(123)
        assert not bench.producer.publish_at(124)
        assert frames_in(bench.pipe.written)[2][2][:8] == (123).to_bytes(8)

    run(test)


def test_run_that_has_failed_raises_why_and_publishes_no_more() -> None:
    async def test() -> None:
        bench = Bench(4)
        bench.ledger.published_max = MANY
        reached = bench.ledger.until()
        bench.producer.channel_closed(1, ChannelClosed(404, "gone"))
        bench.producer.pump()
        assert not bench.published
        with pytest.raises(ClientError, match="404 gone"):
            await reached
        with pytest.raises(ClientError, match="404 gone"):
            await bench.ledger.until(published=0)

    run(test)


@given(st.integers(1, 7), st.integers(0, 30))
def test_acks_cover_so_many_deliveries_each_and_leave_once_a_turn(ack_every: int, deliveries: int) -> None:
    async def test() -> None:
        ledger = Ledger(0, 1)
        consumer = Consumer(ledger, ack_every, False)
        connection = Connection(Address(), 0, consumer)
        pipe = Pipe()
        connection.connection_made(pipe)
        opening = asyncio.create_task(connection.channel())
        await asyncio.sleep(0)
        connection.data_received(b"\x01\x00\x01\x00\x00\x00\x08\x00\x14\x00\x0b\x00\x00\x00\x00\xce")
        consumer.start(await opening)
        pipe.writes.clear()
        connection.data_received(b"".join([delivery(1, tag, b"x") for tag in range(1, deliveries + 1)]))
        acks = [payload for kind, _, payload in frames_in(pipe.written) if kind == BASIC_ACK]
        expected = range(ack_every, deliveries + 1, ack_every)
        assert acks == [tag.to_bytes(8) + bytes([ack_every > 1]) for tag in expected]
        assert len(pipe.writes) == (1 if acks else 0)
        assert ledger.delivered == deliveries

    run(test)


def test_rest_is_acked_on_demand() -> None:
    async def test() -> None:
        connection = Connection(Address(), 0, consumer := Consumer(Ledger(0, 1), 10, False))
        consumer.start(Channel(connection.wire, 1, consumer))
        consumer.ack()
        for tag in (1, 2):
            consumer.delivered(1, tag, b"", 0, 0)
        consumer.ack()
        assert frames_in(connection.wire.out.getvalue()) == [(BASIC_ACK, 1, (2).to_bytes(8) + b"\x01")]

    run(test)


def test_latency_is_the_time_since_the_stamp_and_no_stamp_is_none() -> None:
    ledger = Ledger(0, 1)
    consumer = Consumer(ledger, 0, True)
    consumer.delivered(1, 1, bytes(8), 0, 8)
    consumer.delivered(1, 2, b"short", 0, 5)
    assert ledger.latencies.count == 0
    consumer.delivered(1, 3, (time.monotonic_ns() - 5_000_000).to_bytes(8), 0, 8)
    assert ledger.latencies.count == 1
    assert 5_000_000 <= ledger.latencies.minimum < 5_000_000_000


def test_deliveries_complete_the_goal_at_the_end_of_the_turn() -> None:
    async def test() -> None:
        ledger = Ledger(0, 1)
        consumer = Consumer(ledger, 0, False)
        reached = ledger.until(delivered=2)
        for tag in (1, 2):
            consumer.delivered(1, tag, b"", 0, 0)
        assert not reached.done()
        consumer.turn_ended()
        assert reached.done()

    run(test)


def test_who_wants_to_know_at_once_is_told_at_the_goal_and_once() -> None:
    async def test() -> None:
        ledger = Ledger(0, 1)
        consumer = Consumer(ledger, 0, False)
        told: list[int] = []
        ledger.until(delivered=2, at_goal=lambda: told.append(int(ledger.delivered)))
        for tag in (1, 2, 3):
            consumer.delivered(1, tag, b"", 0, 0)
            consumer.turn_ended()
        assert told == [2]

    run(test)


def test_consumer_that_the_server_ends_ends_the_run() -> None:
    async def test() -> None:
        ledger = Ledger(0, 1)
        reached = ledger.until()
        Consumer(ledger, 0, False).cancelled(1, b"tag")
        with pytest.raises(ClientError, match="its queue is gone"):
            await reached

    run(test)
