"""Exchanges and bindings come back from their definitions, without being told of or stored anew."""

from tests.broker.test_events import Listener
from tests.fakes import FakeStore, FixedNames

from supersoniq.amqp.tables import table_of
from supersoniq.broker.definitions import BindingDefinition, ExchangeDefinition
from supersoniq.broker.restoring import restore_binding, restore_exchange
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost


def test_exchange_and_binding_are_there_again_and_nobody_hears_of_it() -> None:
    store, listener = FakeStore(), Listener()
    vhost = VHost("/", Turn(), store, FixedNames())
    vhost.announcer.events = listener
    restore_exchange(vhost, ExchangeDefinition("/", b"e", "topic", False, True, table_of({"x": 1})))
    binding = BindingDefinition("/", b"e", b"amq.fanout", True, b"k", {})
    assert restore_binding(vhost, binding)
    exchange = vhost.exchange(b"e")
    assert (exchange.kind, exchange.durable, exchange.internal) == ("topic", True, True)
    assert [each.definition for each in exchange.bindings.values()] == [binding]
    assert (store.log, listener.heard) == ([], [])


def test_binding_without_one_of_its_ends_does_not_come_back() -> None:
    vhost = VHost("/", Turn(), FakeStore(), FixedNames())
    for source, destination in ((b"e", b"amq.fanout"), (b"amq.fanout", b"e")):
        assert not restore_binding(vhost, BindingDefinition("/", source, destination, True, b"k", {}))
