"""Where a message goes: through exchanges, exchange-to-exchange bindings and alternate exchanges to queues.

Each exchange is visited once and each queue appears once, so cycles end. Answers that depend on the address
alone are remembered until anything in the virtual host changes.
"""

from typing import Final

from mypy_extensions import i64

from supersoniq.broker.counters import MessageCounters
from supersoniq.broker.exchanges.base import Destination, Exchange
from supersoniq.broker.queues.queue import Queue

ROUTES_MAX: Final = 16_384

# What the names of queues begin with that are nobody's to use: delayed messages wait there.
DELAYED_PREFIX: Final = b"amq.delayed."
DEDUPLICATION_PREFIX: Final = b"amq.deduplication."
INTERNAL_PREFIXES: Final = (DELAYED_PREFIX, DEDUPLICATION_PREFIX)


class Route:
    """The queues for one address. `current` turns false when it must be asked for again.

    `is_plain` says that none of them has rules for what comes in. `keepers` are the exchanges on the way that
    keep messages, None for none; while the virtual host is traced there is a list always, so that publishers
    look closer. `counters` are those of the exchange that it begins with.
    """

    def __init__(
        self,
        queues: list[Queue],
        counters: MessageCounters,
        current: bool,
        keepers: list[Exchange] | None = None,
    ) -> None:
        self.queues = queues
        self.counters = counters
        self.keepers = keepers
        self.current = current
        self.is_plain = all([queue.rules.is_plain for queue in queues])


class Router:
    """Finds queues in the exchanges and queues of one virtual host, which it shares with the host itself.

    `keepers` are the exchanges that keep messages among those it came by last. While it `is_traced` nothing
    is remembered.
    """

    def __init__(self, exchanges: dict[bytes, Exchange], queues: dict[bytes, Queue]) -> None:
        self._exchanges = exchanges
        self._queues = queues
        self.keepers: list[Exchange] = []
        self.is_traced = False
        self.unroutable = b""  # the queue for what nobody takes, if there is one of that name
        self._routes: dict[bytes, Route] = {}
        self._visit: i64 = 0
        self._by_key_alone = True

    def changed(self) -> None:
        """Forget what was remembered, for a binding, an exchange or a queue has come or gone."""
        if self._routes:
            for route in self._routes.values():
                route.current = False
            self._routes.clear()

    def remembered(self, address: bytes) -> Route | None:
        """Return the route remembered for an address."""
        return self._routes.get(address)

    def route(self, exchange: Exchange, address: bytes, routing_key: bytes, header: bytes) -> Route:
        """Find the queues for a message with one key; remember them if they depend on the address alone."""
        queues = self.resolve(exchange, [routing_key], header)
        is_lasting = self._by_key_alone and not self.is_traced
        route = Route(queues, exchange.counters, is_lasting, self.kept_by())
        if is_lasting:
            if len(self._routes) >= ROUTES_MAX:
                self.changed()
            self._routes[address] = route
        return route

    def kept_by(self) -> list[Exchange] | None:
        """Return the exchanges that keep the message that was routed last, for its route."""
        return self.keepers if self.keepers or self.is_traced else None

    def resolve(self, exchange: Exchange, routing_keys: list[bytes], header: bytes) -> list[Queue]:
        """Find the queues for a message with any number of keys, or the queue for what nobody takes."""
        queues = self.bound(exchange, routing_keys, header)
        if not queues and self.unroutable:
            keeper = self._queues.get(self.unroutable)
            if keeper is not None:
                queues.append(keeper)
        return queues

    def bound(self, exchange: Exchange, routing_keys: list[bytes], header: bytes) -> list[Queue]:
        """Find the queues to which bindings lead."""
        self._visit += 1
        self._by_key_alone = True
        if self.keepers:
            self.keepers = []
        queues: list[Queue] = []
        exchange.visit = self._visit
        pending: list[Exchange] = [exchange]
        while pending:
            following: list[Exchange] = []
            for each in pending:
                matched = self._match(each, routing_keys, header)
                if matched:
                    self._sort(matched, queues, following)
                else:
                    self._alternate(each, following)
            pending = following
        return queues

    def _match(self, exchange: Exchange, routing_keys: list[bytes], header: bytes) -> list[Destination]:
        matched: list[Destination] = []
        for routing_key in routing_keys:
            if exchange.name:
                exchange.match(routing_key, header, matched)
            else:
                queue = self._queues.get(routing_key)
                if queue is not None and not routing_key.startswith(INTERNAL_PREFIXES):
                    matched.append(queue)
            if exchange.takes_one_key:
                break
        if not exchange.by_key_alone:
            self._by_key_alone = False
            if exchange.keeps:
                self.keepers.append(exchange)
        return matched

    def _sort(self, matched: list[Destination], queues: list[Queue], following: list[Exchange]) -> None:
        for destination in matched:
            if destination.visit != self._visit:
                destination.visit = self._visit
                if isinstance(destination, Queue):
                    queues.append(destination)
                elif isinstance(destination, Exchange):
                    following.append(destination)

    def _alternate(self, exchange: Exchange, following: list[Exchange]) -> None:
        if exchange.alternate is not None:
            alternate = self._exchanges.get(exchange.alternate)
            if alternate is not None and alternate.visit != self._visit:
                alternate.visit = self._visit
                following.append(alternate)
