"""Queues: names, lifetimes, bindings, purge and delete."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from tests.conformance.codec import Basic, Channel, Confirm, Exchange, Method, Queue
from tests.conformance.names import Names
from tests.conformance.wire import Wire, WireChannel, channel_closed

Connect = Callable[..., Wire]


def counts(ch: WireChannel, queue: str) -> tuple[int, int]:
    """Ready messages and consumers, as a passive declaration says them."""
    reply = ch.call(Queue.declare(queue=queue, passive=True))
    return reply.message_count, reply.consumer_count


def is_gone(ch: WireChannel, queue: str) -> bool:
    """Ask for `queue`, and leave `ch` open whatever the answer is."""
    ch >> Queue.declare(queue=queue, passive=True)
    reply = ch.next()
    if reply.name == "queue.declare_ok":
        return False
    assert reply.reply_code == 404
    ch >> Channel.close_ok()
    ch.call(Channel.open())
    return True


def eventually_gone(ch: WireChannel, queue: str) -> bool:
    """For deletions that nobody is told about: asks again until the test's timeout."""
    while not is_gone(ch, queue):
        ch.quiet(0.02)
    return True


@pytest.mark.rule("queue.declare", "default-name")
def test_server_makes_a_unique_name(ch: WireChannel) -> None:
    made = {ch.call(Queue.declare(exclusive=True)).queue for _ in range(3)}
    assert len(made) == 3
    assert all(re.fullmatch(r"amq\.gen-[A-Za-z0-9_-]{22}", name) for name in made)


@pytest.mark.rule("queue.declare", "default-name")
def test_name_that_the_server_made_is_found_but_declared_by_nobody(ch: WireChannel) -> None:
    name = ch.call(Queue.declare(exclusive=True)).queue
    assert counts(ch, name) == (0, 0)
    ch >> Queue.declare(queue=name, exclusive=True)
    ch << channel_closed(403, f"queue name '{name}' contains reserved prefix 'amq.*'", 50, 10)


@pytest.mark.rule("queue.declare", "default-name")
def test_empty_name_means_the_channels_last_declared_queue(ch: WireChannel) -> None:
    first = ch.call(Queue.declare(exclusive=True)).queue
    ch.call(Queue.bind(exchange="amq.direct"))
    ch.publish(b"a", first, exchange="amq.direct").publish(b"b", first).publish(b"c", first)
    ch >> Basic.get(no_ack=True)
    ch << Basic.get_ok(body=b"a", exchange="amq.direct", routing_key=first)
    assert ch.call(Queue.purge()).message_count == 2
    tag = ch.call(Basic.consume()).consumer_tag
    assert counts(ch, first) == (0, 1)
    ch.call(Basic.cancel(consumer_tag=tag))
    ch.call(Queue.delete())
    assert is_gone(ch, first)


@pytest.mark.rule("queue.declare", "default-name")
def test_last_declared_queue_belongs_to_the_channel(wire: Wire, ch: WireChannel, names: Names) -> None:
    other = wire.channel()
    ch.call(Queue.declare(queue=names.q))
    mine = other.call(Queue.declare(exclusive=True)).queue
    ch.publish(b"q", names.q).publish(b"mine", mine)
    ch.call(Basic.qos())
    other >> Basic.get(no_ack=True)
    other << Basic.get_ok(body=b"mine")
    ch >> Basic.get(no_ack=True)
    ch << Basic.get_ok(body=b"q")


@pytest.mark.rule("queue.bind", "default-name")
def test_binding_without_queue_but_with_key_keeps_the_key(ch: WireChannel) -> None:
    ch.call(Queue.declare(exclusive=True))
    ch.call(Queue.bind(exchange="amq.direct", routing_key="conformance-key"))
    ch.publish(b"a", "conformance-key", exchange="amq.direct")
    ch >> Basic.get(no_ack=True)
    ch << Basic.get_ok(body=b"a")


@pytest.mark.rule("queue.bind", "default-name")
def test_named_queue_with_empty_key_is_bound_with_the_empty_key(
    ch: WireChannel, q: str, names: Names
) -> None:
    ch.call(Exchange.declare(exchange=names.x, type="direct"))
    ch.call(Queue.bind(queue=q, exchange=names.x))
    ch.publish(b"name", q, exchange=names.x).publish(b"empty", "", exchange=names.x)
    assert ch.drain(q) == [b"empty"]


@pytest.mark.rule("queue.declare", "line-breaks")
def test_line_breaks_are_removed_from_names(ch: WireChannel, names: Names) -> None:
    assert ch.call(Queue.declare(queue=names.q[:5] + "\r\n" + names.q[5:] + "\n")).queue == names.q
    assert counts(ch, names.q) == (0, 0)


@pytest.mark.rule("queue.declare", "counts")
def test_declare_ok_counts_ready_messages_and_consumers(ch: WireChannel, q: str) -> None:
    ch.publish(b"a", q).publish(b"b", q).publish(b"c", q)
    ch >> Basic.get(queue=q)
    ch << Basic.get_ok(message_count=2)
    assert counts(ch, q) == (2, 0)
    ch.call(Basic.qos(prefetch_count=1))
    ch.call(Basic.consume(queue=q))
    ch << Basic.deliver(body=b"b")
    reply = ch.call(Queue.declare(queue=q))
    assert (reply.queue, reply.message_count, reply.consumer_count) == (q, 1, 1)


@pytest.mark.rule("queue.declare", "nowait")
def test_nowait_methods_are_not_answered(ch: WireChannel, names: Names) -> None:
    ch >> Queue.declare(queue=names.q, nowait=True)
    ch >> Queue.bind(queue=names.q, exchange="amq.direct", routing_key=names.q, nowait=True)
    ch.call(Confirm.select())
    ch.publish(b"a", names.q, exchange="amq.direct")
    ch << Basic.ack()
    assert counts(ch, names.q) == (1, 0)
    ch >> Queue.purge(queue=names.q, nowait=True)
    assert counts(ch, names.q) == (0, 0)
    ch >> Queue.delete(queue=names.q, nowait=True)
    assert is_gone(ch, names.q)


@pytest.mark.rule("queue.declare", "nowait")
def test_errors_of_nowait_methods_close_the_channel(ch: WireChannel, names: Names) -> None:
    ch >> Queue.bind(queue=names.q, exchange="amq.direct", nowait=True)
    ch << channel_closed(404, f"no queue '{names.q}' in vhost '/'", 50, 20)
    ch >> Channel.close_ok()


@pytest.mark.rule("queue.declare", "exclusive")
def test_exclusive_queue_outlives_its_channel_but_not_its_connection(
    wire: Wire, ch: WireChannel, connect: Connect, names: Names
) -> None:
    ch.call(Queue.declare(queue=names.q, exclusive=True))
    ch.enqueue(names.q, b"kept")
    ch.call(Channel.close())
    assert counts(wire.channel(), names.q) == (1, 0)
    wire.close()
    assert is_gone(connect().channel(), names.q)


@pytest.mark.rule("queue.declare", "exclusive")
def test_name_of_an_exclusive_queue_is_free_at_once_after_its_connection_closed(
    connect: Connect, names: Names
) -> None:
    for _ in range(10):
        wire = connect()
        wire.channel().call(Queue.declare(queue=names.q, exclusive=True, durable=True))
        wire.close()


@pytest.mark.rule("queue.declare", "exclusive")
def test_owner_may_do_everything_with_its_exclusive_queue_on_any_channel(
    wire: Wire, ch: WireChannel, names: Names
) -> None:
    ch.call(Queue.declare(queue=names.q, exclusive=True))
    other = wire.channel()
    other.call(Queue.declare(queue=names.q, exclusive=True))
    other.call(Queue.bind(queue=names.q, exchange="amq.direct"))
    other.call(Basic.consume(queue=names.q))
    other.call(Queue.delete(queue=names.q))


@pytest.mark.rule("queue.declare", "auto-delete")
@pytest.mark.parametrize("how", [Basic.cancel(consumer_tag="second"), Channel.close()], ids=lambda m: m.name)
def test_auto_delete_queue_goes_with_its_last_consumer(
    how: Method, wire: Wire, ch: WireChannel, connect: Connect, names: Names
) -> None:
    ch.call(Queue.declare(queue=names.q, auto_delete=True))
    consumer = connect().channel()
    consumer.call(Basic.consume(queue=names.q, consumer_tag="first"))
    consumer.call(Basic.consume(queue=names.q, consumer_tag="second"))
    consumer.call(Basic.cancel(consumer_tag="first"))
    assert counts(ch, names.q) == (0, 1)
    consumer.call(how)
    assert is_gone(ch, names.q)


@pytest.mark.rule("queue.declare", "auto-delete")
def test_auto_delete_queue_goes_with_its_last_consumers_connection(
    ch: WireChannel, connect: Connect, names: Names
) -> None:
    ch.call(Queue.declare(queue=names.q, auto_delete=True))
    lost = connect()
    lost.channel().call(Basic.consume(queue=names.q))
    lost.reset()
    assert eventually_gone(ch, names.q)


@pytest.mark.rule("queue.declare", "auto-delete")
def test_auto_delete_queue_stays_while_it_never_had_a_consumer(ch: WireChannel, names: Names) -> None:
    ch.call(Queue.declare(queue=names.q, auto_delete=True))
    ch.publish(b"a", names.q)
    assert ch.drain(names.q) == [b"a"]
    assert counts(ch, names.q) == (0, 0)


@pytest.mark.rule("queue.bind", "duplicates")
def test_second_identical_binding_changes_nothing(ch: WireChannel, q: str, names: Names) -> None:
    ch.call(Exchange.declare(exchange=names.x, type="direct"))
    for _ in range(2):
        ch.call(Queue.bind(queue=q, exchange=names.x, routing_key="k"))
    ch.publish(b"once", "k", exchange=names.x)
    assert ch.drain(q) == [b"once"]
    ch.call(Queue.unbind(queue=q, exchange=names.x, routing_key="k"))
    ch.publish(b"lost", "k", exchange=names.x)
    assert ch.drain(q) == []


@pytest.mark.rule("queue.unbind", "arguments")
def test_bindings_that_differ_in_arguments_are_different(ch: WireChannel, q: str, names: Names) -> None:
    ch.call(Exchange.declare(exchange=names.x, type="direct"))
    ch.call(Queue.bind(queue=q, exchange=names.x, routing_key="k", arguments={"a": 1}))
    ch.call(Queue.bind(queue=q, exchange=names.x, routing_key="k", arguments={"a": 2}))
    ch.call(Queue.unbind(queue=q, exchange=names.x, routing_key="k", arguments={"a": 3}))
    ch.call(Queue.unbind(queue=q, exchange=names.x, routing_key="k", arguments={"a": 1}))
    ch.publish(b"still", "k", exchange=names.x)
    assert ch.drain(q) == [b"still"]
    ch.call(Queue.unbind(queue=q, exchange=names.x, routing_key="k", arguments={"a": 2}))
    ch.publish(b"lost", "k", exchange=names.x)
    assert ch.drain(q) == []


@pytest.mark.rule("queue.delete", "bindings")
def test_deleted_queue_takes_its_bindings_along(ch: WireChannel, q: str, names: Names) -> None:
    ch.call(Exchange.declare(exchange=names.x, type="fanout"))
    ch.call(Queue.bind(queue=q, exchange=names.x))
    ch.call(Queue.delete(queue=q))
    ch.call(Queue.declare(queue=q))
    ch.publish(b"lost", exchange=names.x)
    assert ch.drain(q) == []
    ch.call(Exchange.delete(exchange=names.x, if_unused=True))


@pytest.mark.rule("queue.purge", "ready-only")
def test_purge_drops_ready_messages_only(ch: WireChannel, q: str) -> None:
    for number in range(4):
        ch.publish(b"%d" % number, q)
    ch >> Basic.get(queue=q)
    ch << Basic.get_ok(body=b"0")
    assert ch.call(Queue.purge(queue=q)).message_count == 3
    ch >> Basic.nack(delivery_tag=1, requeue=True)
    assert ch.drain(q) == [b"0"]


@pytest.mark.rule("queue.delete", "count")
def test_delete_returns_the_count_of_ready_messages(ch: WireChannel, q: str) -> None:
    ch.publish(b"a", q).publish(b"b", q).publish(b"c", q)
    ch >> Basic.get(queue=q)
    ch << Basic.get_ok()
    assert ch.call(Queue.delete(queue=q)).message_count == 2
    assert ch.call(Queue.delete(queue=q)).message_count == 0


@pytest.mark.rule("queue.delete", "if-unused")
def test_delete_if_unused_and_if_empty_succeed_when_it_is(ch: WireChannel, q: str) -> None:
    ch.call(Queue.delete(queue=q, if_unused=True, if_empty=True))
    assert is_gone(ch, q)


@pytest.mark.rule("queue.delete", "unacked")
def test_settling_messages_of_a_deleted_queue_is_fine(ch: WireChannel, q: str) -> None:
    for body in (b"a", b"b", b"c"):
        ch.publish(body, q)
        ch >> Basic.get(queue=q)
        ch << Basic.get_ok(body=body)
    ch.call(Queue.delete(queue=q))
    (
        ch
        >> Basic.ack(delivery_tag=1)
        >> Basic.nack(delivery_tag=2, requeue=True)
        >> Basic.reject(delivery_tag=3)
    )
    ch.call(Basic.qos())


@pytest.mark.rule("basic.cancel", "server")
def test_consumers_of_a_deleted_queue_are_told(ch: WireChannel, q: str, connect: Connect) -> None:
    consumer = connect().channel()
    consumer.call(Basic.consume(queue=q, consumer_tag="told"))
    ch.call(Queue.delete(queue=q))
    consumer << Basic.cancel(consumer_tag="told", nowait=True)
    consumer.call(Basic.cancel(consumer_tag="told"))


@pytest.mark.rule("basic.cancel", "server")
@pytest.mark.oracle_differs("answers 503 unimplemented method; the specification has the client send it")
def test_clients_cancel_ok_is_ignored(ch: WireChannel, q: str) -> None:
    tag = ch.call(Basic.consume(queue=q)).consumer_tag
    ch >> Queue.delete(queue=q)
    assert {ch.next().name, ch.next().name} == {"basic.cancel", "queue.delete_ok"}
    ch >> Basic.cancel_ok(consumer_tag=tag)
    ch.call(Basic.qos())


@pytest.mark.rule("queue.declare", "name-length")
def test_name_may_have_255_octets(ch: WireChannel) -> None:
    name = "conformance." + "é" * 121 + "!"
    assert len(name.encode()) == 255
    assert ch.call(Queue.declare(queue=name, exclusive=True)).queue == name
    ch.publish(b"long", name)
    assert ch.drain(name) == [b"long"]
