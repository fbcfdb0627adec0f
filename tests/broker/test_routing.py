"""Messages go through exchanges to queues: each exchange is asked once, each queue appears once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.definitions import thorough
from tests.fakes import NO_PROPERTIES, FakeStore, FixedNames

from supersoniq.amqp.tables import table_of
from supersoniq.broker.exchanges.base import Binding, Destination, Exchange
from supersoniq.broker.message import address_of
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.routing import ROUTES_MAX, Route
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost


class Counting(Exchange):
    """Sends everything everywhere, and counts how often it is asked."""

    kind = "counting"

    def __init__(self, name: bytes) -> None:
        super().__init__(name, False, False, False, {})
        self.asked: list[bytes] = []

    def added(self, binding: Binding) -> None:
        pass

    def removed(self, binding: Binding) -> None:
        pass

    def match(self, routing_key: bytes, header: bytes, into: list[Destination]) -> None:
        self.asked.append(routing_key)
        for binding in self.bindings.values():
            into.append(binding.destination)


@pytest.fixture
def vhost() -> VHost:
    return VHost("/", Turn(), FakeStore(), FixedNames())


def exchange(vhost: VHost, name: bytes, kind: str = "fanout", **arguments: object) -> Exchange:
    table = table_of({name.replace("_", "-"): value for name, value in arguments.items()})
    return vhost.declare_exchange(name, kind, False, False, False, table)


def queue(vhost: VHost, name: bytes) -> Queue:
    return vhost.declare_queue(name, False, False, False, {}, 1)


def resolved(vhost: VHost, name: bytes, *routing_keys: bytes) -> list[bytes]:
    queues = vhost.router.resolve(vhost.exchange(name), list(routing_keys), NO_PROPERTIES)
    return [each.name for each in queues]


def route(vhost: VHost, name: bytes, routing_key: bytes) -> Route:
    return vhost.route(address_of(name, routing_key), NO_PROPERTIES)


def test_default_exchange_leads_to_the_queue_of_that_name(vhost: VHost) -> None:
    queue(vhost, b"q")
    assert resolved(vhost, b"", b"q") == [b"q"]
    assert resolved(vhost, b"", b"other") == []


def test_queue_reached_in_two_ways_appears_once(vhost: VHost) -> None:
    target = queue(vhost, b"q")
    exchange(vhost, b"one")
    two = exchange(vhost, b"two")
    vhost.bind(b"one", target, b"", {})
    vhost.bind(b"one", two, b"", {})
    vhost.bind(b"two", target, b"", {})
    assert resolved(vhost, b"one", b"key") == [b"q"]


def test_queue_named_by_two_keys_appears_once(vhost: VHost) -> None:
    queue(vhost, b"q")
    queue(vhost, b"r")
    assert resolved(vhost, b"", b"q", b"r", b"q", b"none") == [b"q", b"r"]


def test_exchanges_bound_in_a_circle_are_asked_once_each(vhost: VHost) -> None:
    circle = [Counting(name) for name in (b"a", b"b", b"c")]
    for each in circle:
        vhost.exchanges[each.name] = each
    for source, destination in zip(circle, [*circle[1:], circle[0]], strict=True):
        source.bind(Binding(source, destination, b"", {}))
    target = queue(vhost, b"q")
    vhost.bind(b"c", target, b"", {})
    assert resolved(vhost, b"a", b"key") == [b"q"]
    assert [each.asked for each in circle] == [[b"key"]] * 3


def test_exchange_bound_to_itself_is_asked_once(vhost: VHost) -> None:
    narcissus = Counting(b"a")
    vhost.exchanges[b"a"] = narcissus
    narcissus.bind(Binding(narcissus, narcissus, b"", {}))
    assert resolved(vhost, b"a", b"key") == []
    assert narcissus.asked == [b"key"]


def test_alternate_takes_what_nobody_wants(vhost: VHost) -> None:
    exchange(vhost, b"main", "direct", alternate_exchange="spare")
    exchange(vhost, b"spare")
    vhost.bind(b"main", queue(vhost, b"wanted"), b"key", {})
    vhost.bind(b"spare", queue(vhost, b"unwanted"), b"", {})
    assert resolved(vhost, b"main", b"key") == [b"wanted"]
    assert resolved(vhost, b"main", b"other") == [b"unwanted"]


def test_alternates_form_chains(vhost: VHost) -> None:
    exchange(vhost, b"one", "direct", alternate_exchange="two")
    exchange(vhost, b"two", "direct", alternate_exchange="three")
    exchange(vhost, b"three")
    vhost.bind(b"three", queue(vhost, b"q"), b"", {})
    assert resolved(vhost, b"one", b"key") == [b"q"]


def test_alternates_in_a_circle_end(vhost: VHost) -> None:
    exchange(vhost, b"one", alternate_exchange="two")
    exchange(vhost, b"two", alternate_exchange="one")
    assert resolved(vhost, b"one", b"key") == []


def test_missing_alternate_is_no_error_and_counts_when_it_comes(vhost: VHost) -> None:
    exchange(vhost, b"main", "direct", alternate_exchange="later")
    assert route(vhost, b"main", b"key").queues == []
    exchange(vhost, b"later")
    vhost.bind(b"later", queue(vhost, b"q"), b"", {})
    assert [each.name for each in route(vhost, b"main", b"key").queues] == [b"q"]


def test_alternate_is_not_asked_when_the_exchange_leads_to_another_exchange(vhost: VHost) -> None:
    exchange(vhost, b"main", alternate_exchange="spare")
    vhost.bind(b"main", exchange(vhost, b"empty"), b"", {})
    exchange(vhost, b"spare")
    vhost.bind(b"spare", queue(vhost, b"q"), b"", {})
    assert resolved(vhost, b"main", b"key") == []


def test_route_is_remembered(vhost: VHost) -> None:
    queue(vhost, b"q")
    first = route(vhost, b"", b"q")
    assert first.current
    assert route(vhost, b"", b"q") is first


def test_route_that_depends_on_headers_is_not_remembered(vhost: VHost) -> None:
    exchange(vhost, b"first")
    vhost.bind(b"first", vhost.exchange(b"amq.headers"), b"", {})
    found = route(vhost, b"first", b"key")
    assert not found.current
    assert vhost.router.remembered(address_of(b"first", b"key")) is None


@pytest.mark.parametrize("change", ["queue", "no queue", "exchange", "no exchange", "binding", "no binding"])
def test_remembered_route_is_forgotten_when_something_changes(vhost: VHost, change: str) -> None:
    target = queue(vhost, b"q")
    exchange(vhost, b"e")
    exchange(vhost, b"idle")
    vhost.bind(b"e", target, b"bound", {})
    found = route(vhost, b"e", b"key")
    assert found.current
    if change == "queue":
        queue(vhost, b"new")
    elif change == "no queue":
        vhost.delete_queue(target, False, False)
    elif change == "exchange":
        exchange(vhost, b"new")
    elif change == "no exchange":
        vhost.delete_exchange(b"idle", False)
    elif change == "binding":
        vhost.bind(b"e", target, b"new", {})
    else:
        vhost.unbind(b"e", target, b"bound", {}, 1)
    assert not found.current
    assert route(vhost, b"e", b"key") is not found


def test_equal_binding_forgets_nothing(vhost: VHost) -> None:
    target = queue(vhost, b"q")
    exchange(vhost, b"e")
    vhost.bind(b"e", target, b"", {})
    found = route(vhost, b"e", b"key")
    vhost.bind(b"e", target, b"", {})
    assert found.current


def test_no_more_routes_are_remembered_than_allowed(vhost: VHost) -> None:
    first = route(vhost, b"", b"0")
    for number in range(1, ROUTES_MAX):
        route(vhost, b"", b"%d" % number)
    assert first.current
    route(vhost, b"", b"one more")
    assert not first.current
    assert vhost.router.remembered(address_of(b"", b"one more")) is not None


edges = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 7)), max_size=14)


@thorough
@given(edges)
def test_queues_are_those_that_can_be_reached(bindings: list[tuple[int, int]]) -> None:
    vhost = VHost("/", Turn(), FakeStore(), FixedNames())
    sources = [exchange(vhost, b"e%d" % number) for number in range(5)]
    destinations: list[Destination] = [*sources, *[queue(vhost, b"q%d" % number) for number in range(3)]]
    for source, destination in bindings:
        vhost.bind(sources[source].name, destinations[destination], b"", {})
    reached, pending = set[int](), {0}
    while pending:
        reached |= pending
        pending = {end for start, end in bindings if start in pending} - reached
    found = resolved(vhost, b"e0", b"key")
    assert sorted(found) == [b"q%d" % (number - 5) for number in sorted(reached) if number >= 5]


@pytest.mark.parametrize("kind", ["x-consistent-hash", "x-modulus-hash", "x-random"])
def test_exchange_that_chooses_does_so_once(vhost: VHost, kind: str) -> None:
    exchange(vhost, b"e", kind)
    for number in range(9):
        vhost.bind(b"e", queue(vhost, b"q%d" % number), b"1", {})
    assert len(resolved(vhost, b"e", *[b"%d" % number for number in range(30)])) == 1


def test_exchanges_that_keep_messages_are_told_of(vhost: VHost) -> None:
    plain, keeper = exchange(vhost, b"plain"), exchange(vhost, b"keeper", "x-recent-history")
    assert route(vhost, b"plain", b"k").keepers is None
    vhost.bind(b"plain", keeper, b"", {})
    found = route(vhost, b"plain", b"k")
    assert found.keepers == [keeper]
    assert not found.current
    vhost.unbind(b"plain", keeper, b"", {}, 1)
    assert route(vhost, plain.name, b"k").keepers is None
    assert found.keepers == [keeper]


def test_what_no_queue_takes_goes_to_the_one_for_that_if_there_is_one() -> None:
    vhost = VHost("/", Turn(), FakeStore(), FixedNames())
    vhost.router.unroutable = b"lost"
    assert vhost.route(address_of(b"", b"nobody"), b"").queues == []
    lost = vhost.declare_queue(b"lost", False, False, False, {}, 1)
    other = vhost.declare_queue(b"other", False, False, False, {}, 1)
    assert vhost.route(address_of(b"", b"nobody"), b"").queues == [lost]
    assert vhost.route(address_of(b"", b"other"), b"").queues == [other]
    vhost.declare_exchange(b"alternate", "fanout", False, False, False, {})
    vhost.declare_exchange(b"e", "direct", False, False, False, table_of({"alternate-exchange": "alternate"}))
    assert vhost.route(address_of(b"e", b"key"), b"").queues == [lost]
    vhost.bind(b"alternate", other, b"", {})
    assert vhost.route(address_of(b"e", b"key"), b"").queues == [other]


def test_what_is_bound_knows_no_queue_for_what_nobody_takes(vhost: VHost) -> None:
    queue(vhost, b"lost")
    vhost.router.unroutable = b"lost"
    found = exchange(vhost, b"e")
    assert vhost.router.bound(found, [b"k"], NO_PROPERTIES) == []
    assert resolved(vhost, b"e", b"k") == [b"lost"]
