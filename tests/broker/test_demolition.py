"""A virtual host that goes leaves nothing in the store."""

from tests.fakes import FakeConsumer, FakeStore, FixedNames, message

from supersoniq.amqp.tables import table_of
from supersoniq.broker.demolition import demolish
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
