"""A random exchange draws one binding for each message."""

from collections import Counter
from itertools import pairwise

from supersoniq.broker.exchanges.base import Binding, Destination
from supersoniq.broker.exchanges.chance import RandomExchange


def random_exchange(*queues: Destination, name: bytes = b"e") -> RandomExchange:
    exchange = RandomExchange(name, False, False, False, {})
    for queue in queues:
        exchange.bind(Binding(exchange, queue, b"", {}))
    return exchange


def drawn(exchange: RandomExchange, count: int) -> list[Destination]:
    into: list[Destination] = []
    for _ in range(count):
        exchange.match(b"key", b"", into)
    return into


def test_each_message_goes_to_one_queue_and_all_are_as_likely() -> None:
    queues = [Destination(b"q-%d" % number, False) for number in range(5)]
    counts = Counter(drawn(random_exchange(*queues), 5_000))
    assert sum(counts.values()) == 5_000
    assert set(counts) == set(queues)
    assert all(850 < count < 1_150 for count in counts.values())


def test_what_comes_next_does_not_follow_from_what_came_last() -> None:
    queues = [Destination(name, False) for name in (b"a", b"b", b"c")]
    sequence = drawn(random_exchange(*queues), 9_001)
    pairs = Counter(pairwise(sequence))
    assert len(pairs) == 9
    assert all(850 < count < 1_150 for count in pairs.values())


def test_exchanges_draw_differently() -> None:
    queues = [Destination(name, False) for name in (b"a", b"b")]
    assert drawn(random_exchange(*queues), 64) != drawn(random_exchange(*queues, name=b"other"), 64)


def test_exchange_whose_name_is_hashed_to_nothing_draws_all_the_same() -> None:
    queues = [Destination(name, False) for name in (b"a", b"b")]
    assert set(drawn(random_exchange(*queues, name=b""), 64)) == set(queues)


def test_destination_bound_twice_is_drawn_twice_as_often() -> None:
    often, seldom = Destination(b"often", False), Destination(b"seldom", False)
    exchange = random_exchange(often, seldom)
    exchange.bind(Binding(exchange, often, b"again", {}))
    counts = Counter(drawn(exchange, 3_000))
    assert 1_850 < counts[often] < 2_150


def test_what_is_not_bound_any_more_is_not_drawn() -> None:
    queues = [Destination(name, False) for name in (b"a", b"b")]
    exchange = random_exchange(*queues)
    exchange.unbind(Binding(exchange, queues[0], b"", {}))
    assert set(drawn(exchange, 64)) == {queues[1]}
    exchange.unbind(Binding(exchange, queues[1], b"", {}))
    assert drawn(exchange, 3) == []
