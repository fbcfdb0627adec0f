"""A virtual host that goes leaves nothing in the store."""

from tests.broker.test_events import Listener
from tests.fakes import FakeConsumer, FakeStore, FixedNames, message

from supersoniq.amqp.tables import table_of
from supersoniq.broker.demolition import demolish
from supersoniq.broker.events import USER
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost


def test_everything_goes_and_consumers_are_told() -> None:
    store = FakeStore()
    turn = Turn()
    vhost = VHost("v", turn, store, FixedNames())
    vhost.declare_exchange(b"e", "topic", True, False, False, {})
    vhost.declare_exchange(b"auto", "fanout", True, True, False, {})
    vhost.declare_exchange(b"once", "fanout", True, False, False, table_of({"x-message-deduplication": True}))
    queue = vhost.declare_queue(b"q", True, False, False, table_of({"x-dead-letter-exchange": "e"}), 0)
    vhost.declare_queue(b"other", False, True, False, {}, 5)
    for source in (b"e", b"auto", b"once", b"amq.direct"):
        vhost.bind(source, queue, b"k", {})
    vhost.bind(b"amq.direct", vhost.exchanges[b"amq.topic"], b"k", {})
    vhost.publish(message(b"1", persistent=True), [queue])
    consumer = FakeConsumer(room=0)
    queue.subscribe(consumer)
    demolish(vhost)
    turn.finish()
    assert store.definitions == []
    assert vhost.queues == {}
    assert consumer.is_cancelled
    assert [entry.body for entry in store.settled] == [b"1"]


def test_all_that_goes_is_told_of_with_who_wanted_it() -> None:
    listener = Listener()
    vhost = VHost("v", Turn(), FakeStore(), FixedNames())
    queue = vhost.declare_queue(b"q", True, False, False, {}, 0)
    vhost.bind(b"amq.topic", queue, b"k", {})
    exchanges = set(vhost.exchanges)
    vhost.announcer.events = listener
    with vhost.announcer.acting("ann"):
        demolish(vhost)
    told = [(name, fields["name"]) for name, fields in listener.heard if name != "binding.deleted"]
    assert sorted(told) == sorted(
        [("queue.deleted", b"q"), *[("exchange.deleted", name) for name in exchanges]]
    )
    assert {fields[USER] for name, fields in listener.heard if name != "binding.deleted"} == {"ann"}
