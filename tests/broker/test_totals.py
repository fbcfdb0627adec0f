"""Totals of a virtual host's queues and exchanges."""

from tests.fakes import FakeConsumer, FakeStore, FixedNames, message

from supersoniq.broker.totals import exchange_total, lengths_of, totals_by_type, visible_queues
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost


def new_vhost() -> VHost:
    """The classic queue `a` with three messages, one of them delivered; the quorum queue `b`, empty."""
    vhost = VHost("/", Turn(), FakeStore(), FixedNames())
    queue = vhost.declare_queue(b"a", False, False, False, {}, 0)
    quorum = vhost.declare_queue(b"b", True, False, False, {}, 0)
    quorum.options.queue_type = b"quorum"
    for body in (b"x", b"yy", b"zzz"):
        vhost.publish(message(body), [queue])
    queue.subscribe(FakeConsumer(room=1))
    queue.dispatch()
    return vhost


def test_lengths_are_of_all_queues() -> None:
    lengths = lengths_of(visible_queues(new_vhost()))
    assert (lengths.queue_count, lengths.consumer_count) == (2, 1)
    assert (lengths.ready_count, lengths.unacked_count) == (2, 1)
    assert (lengths.ready_body_bytes, lengths.unacked_body_bytes) == (5, 1)
    assert (lengths.paged_count, lengths.paged_body_bytes) == (0, 0)
    assert lengths.memory_bytes > 6


def test_the_nodes_own_queues_are_not_seen() -> None:
    vhost = new_vhost()
    vhost.open_reply_queue()
    named = vhost.declare_queue(b"", False, False, False, {}, 0)
    assert named.name.startswith(b"amq.gen-")
    assert [queue.name for queue in visible_queues(vhost)] == [b"a", b"b", named.name]


def test_queues_are_counted_by_type_with_those_that_are_gone() -> None:
    vhost = new_vhost()
    other = vhost.declare_queue(b"c", False, False, False, {}, 0)
    vhost.publish(message(b"x"), [other])
    vhost.delete_queue(other, False, False)
    totals = totals_by_type(vhost, visible_queues(vhost))
    assert (totals[b"classic"].publish, totals[b"classic"].deliver) == (4, 1)
    assert totals[b"quorum"].publish == 0


def test_exchanges_are_counted_with_those_that_are_gone() -> None:
    vhost = new_vhost()
    exchange = vhost.declare_exchange(b"x", "fanout", False, False, False, {})
    exchange.counters.publish_in = 5
    vhost.exchanges[b""].counters.publish_in = 20
    vhost.delete_exchange(b"x", False)
    assert exchange_total(vhost).publish_in == 25
