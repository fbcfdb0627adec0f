"""Virtual hosts tell of exchanges, queues and bindings that come and go, and who made them do so."""

import pytest
from tests.broker.test_events import Listener
from tests.fakes import FakeStore, FixedNames

from supersoniq.amqp.errors import NotFound
from supersoniq.amqp.tables import table_of
from supersoniq.broker.events import INTERNAL_USER, USER
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost


class Host:
    """A virtual host in which `ann` acts, and what it tells."""

    def __init__(self) -> None:
        self.listener = Listener()
        self.vhost = VHost("v", Turn(), FakeStore(), FixedNames())
        self.vhost.announcer.events = self.listener
        self.vhost.announcer.incarnation = "n@h.7"
        self.vhost.announcer.user = "ann"

    def exchange(self, name: bytes = b"e", auto_delete: bool = False) -> Exchange:
        return self.vhost.declare_exchange(name, "topic", True, auto_delete, False, {})

    def queue(self, name: bytes = b"q", exclusive: bool = False) -> Queue:
        return self.vhost.declare_queue(name, True, exclusive, False, table_of({"x-max-length": 5}), 3)

    def heard(self) -> list[tuple[str, object]]:
        """What was told since the last time, with the users."""
        heard, self.listener.heard = self.listener.heard, []
        return [(name, fields[USER]) for name, fields in heard]


@pytest.fixture
def host() -> Host:
    return Host()


def test_exchange_is_told_of_once(host: Host) -> None:
    host.exchange()
    host.exchange()
    [(name, fields)] = host.listener.heard
    assert name == "exchange.created"
    fields.pop("heard")
    assert fields == {
        USER: "ann", "policy": "", "arguments": {}, "internal": False, "auto_delete": False,
        "durable": True, "type": "topic", "name": b"e", "vhost": "v",
    }  # fmt: skip


def test_exclusive_queue_is_told_of_with_its_owner(host: Host) -> None:
    queue = host.queue(exclusive=True)
    [(name, fields)] = host.listener.heard
    assert name == "queue.created"
    fields.pop("heard")
    assert fields.pop("arguments") == queue.options.arguments
    assert fields == {
        USER: "ann", "exclusive": True, "owner_pid": "<n@h.7.3.0>", "auto_delete": False, "durable": False,
        "name": b"q", "vhost": "v",
    }  # fmt: skip


def test_binding_is_told_of_when_it_comes_and_goes(host: Host) -> None:
    exchange, queue = host.exchange(), host.queue()
    host.listener.heard.clear()
    host.vhost.bind(exchange.name, queue, b"k", table_of({"x": 1}))
    host.vhost.bind(exchange.name, queue, b"k", table_of({"x": 1}))
    host.vhost.unbind(exchange.name, queue, b"k", table_of({"x": 1}), 3)
    [(created, fields), (deleted, others)] = host.listener.heard
    assert (created, deleted) == ("binding.created", "binding.deleted")
    assert fields == others
    assert set(fields.pop("arguments")) == {b"x"}  # type: ignore[call-overload]
    fields.pop("heard")
    assert fields == {
        USER: "ann", "vhost": "v", "routing_key": b"k", "source_kind": "exchange", "source_name": b"e",
        "destination_kind": "queue", "destination_name": b"q",
    }  # fmt: skip


def test_what_goes_with_a_queue_is_the_nodes_doing(host: Host) -> None:
    exchange, queue = host.exchange(auto_delete=True), host.queue()
    host.vhost.bind(exchange.name, queue, b"k", {})
    host.heard()
    host.vhost.delete_queue(queue, False, False)
    assert host.heard() == [
        ("binding.deleted", INTERNAL_USER),
        ("exchange.deleted", INTERNAL_USER),
        ("queue.deleted", "ann"),
    ]


def test_bindings_go_after_their_exchange(host: Host) -> None:
    exchange, queue = host.exchange(), host.queue()
    host.vhost.bind(exchange.name, queue, b"k", {})
    host.vhost.bind(b"amq.topic", exchange, b"k", {})
    host.heard()
    host.vhost.delete_exchange(exchange.name, False)
    assert host.heard() == [
        ("exchange.deleted", "ann"),
        ("binding.deleted", "ann"),
        ("binding.deleted", "ann"),
    ]


def test_nobody_hears_of_the_nodes_own_queues(host: Host) -> None:
    queue = host.vhost.open_reply_queue()
    host.vhost.delete_queue(queue, False, False)
    assert host.heard() == []


def test_who_acts_stops_doing_so_with_the_statement(host: Host) -> None:
    with host.vhost.announcer.acting("ben", "10.0.0.1:5", "a -> b"):
        host.exchange()
    assert host.listener.heard[0][1]["user_address"] == "10.0.0.1:5"
    assert host.listener.heard[0][1]["connection_name"] == "a -> b"
    with pytest.raises(NotFound), host.vhost.announcer.acting("ben"):
        host.vhost.exchange(b"missing")
    host.vhost.delete_exchange(b"e", False)
    assert not {"user_address", "connection_name"} & set(host.listener.heard[1][1])
    assert host.heard() == [("exchange.created", "ben"), ("exchange.deleted", "ann")]


def test_nothing_is_said_while_nobody_listens(host: Host) -> None:
    host.listener.is_open = False
    exchange, queue = host.exchange(), host.queue()
    host.vhost.bind(exchange.name, queue, b"k", {})
    host.vhost.delete_queue(queue, False, False)
    host.vhost.delete_exchange(exchange.name, False)
    assert host.heard() == []


def test_new_virtual_host_tells_of_what_it_has(host: Host) -> None:
    host.vhost.announcer.opened(host.vhost.exchanges)
    assert host.heard() == [("exchange.created", "ann")] * len(host.vhost.exchanges)
