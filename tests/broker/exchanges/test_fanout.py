"""A fanout exchange asks for no key."""

from supersoniq.broker.exchanges.base import Binding, Destination
from supersoniq.broker.exchanges.fanout import FanoutExchange


def fanout() -> FanoutExchange:
    return FanoutExchange(b"fanout", False, False, False, {})


def matched(exchange: FanoutExchange, routing_key: bytes = b"any") -> list[Destination]:
    into: list[Destination] = []
    exchange.match(routing_key, b"", into)
    return into


def test_everything_goes_everywhere_whatever_the_keys() -> None:
    exchange = fanout()
    queues = [Destination(name, False) for name in (b"z", b"a")]
    for queue in queues:
        exchange.bind(Binding(exchange, queue, b"key of " + queue.name, {}))
    assert matched(exchange) == queues
    assert matched(exchange, b"") == queues


def test_destination_bound_twice_appears_once() -> None:
    exchange = fanout()
    queue = Destination(b"q", False)
    exchange.bind(Binding(exchange, queue, b"one", {}))
    exchange.bind(Binding(exchange, queue, b"two", {}))
    assert matched(exchange) == [queue]


def test_destination_goes_with_its_last_binding() -> None:
    exchange = fanout()
    queue = Destination(b"q", False)
    for key in (b"one", b"two"):
        exchange.bind(Binding(exchange, queue, key, {}))
    exchange.unbind(Binding(exchange, queue, b"one", {}))
    assert matched(exchange) == [queue]
    exchange.unbind(Binding(exchange, queue, b"two", {}))
    assert matched(exchange) == []
