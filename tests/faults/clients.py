"""The clients of a load that ends with a kill, each with a channel of its own; they tell the ledger all."""

from __future__ import annotations

import signal
from collections import deque
from random import Random
from typing import NamedTuple

from tests.conformance.codec import Basic, Confirm, Method, Queue, Tx
from tests.conformance.wire import WireChannel
from tests.conftest import Process
from tests.faults.ledger import COMMITTED, COMMITTING, ROLLED_BACK, Ledger, Publication, Transaction
from tests.faults.link import Link, Speaker

TX_QUEUES = ("tx.1", "tx.2")
BUILT = "built"
KILL_AFTER = ("confirm", "delivery", "commit", "wipe", "build", "publish")
MESSAGES_MAX = 400
BUILT_MAX = 10
FRAME_BYTES_MORE = 200_000
DEEP_WINDOW = 1000
DEEP_MESSAGES = 2500


class Route(NamedTuple):
    """Where a message is published to, and the queues that it comes to."""

    exchange: str
    routing_key: str
    queues: tuple[str, ...]


class Kind(NamedTuple):
    """A kind of load, and the settings of the node that gets it."""

    settings: dict[str, str]
    large_share: float = 0.01
    is_deep: bool = False


class Round:
    """What the clients of one epoch share: the ledger, chance, and the kill that ends it.

    The kill comes with the nth event of one kind, in the middle of what the client is doing, or after a time.
    """

    def __init__(self, ledger: Ledger, chance: Random, process: Process, kind: Kind) -> None:
        self.ledger, self.chance = ledger, chance
        self.large_share = kind.large_share
        self.is_over = False
        self._process = process
        self._event = chance.choice(KILL_AFTER)
        self._events_left = int(2 ** chance.uniform(0, 12 if kind.is_deep else 8))

    def note(self, event: str) -> None:
        """Count an event."""
        if event == self._event:
            self._events_left -= 1
            if self._events_left == 0:
                self.kill()

    def kill(self) -> None:
        """Kill the broker; nobody sends anything after that."""
        if not self.is_over:
            self.is_over = True
            self._process.send_signal(signal.SIGKILL)


class Client(Speaker):
    """One channel of a link, in a round."""

    def __init__(self, at: Round, link: Link, channel: WireChannel) -> None:
        self.round, self.ledger, self.chance = at, at.ledger, at.chance
        self.link, self.channel = link, channel
        link.add(channel, self)

    def begin(self) -> None:
        """Send the first thing."""

    def send(self, *methods: Method) -> None:
        """Write methods, as long as the round goes on."""
        if not self.round.is_over:
            self.link.send(self.channel, *methods)

    def publish(self, route: Route, publication: Publication) -> None:
        """Send a message that the ledger knows."""
        self.round.note("publish")
        mode = 2 if publication.persistent else 1
        where = {"exchange": route.exchange, "routing_key": route.routing_key, "mandatory": not route.queues}
        self.send(Basic.publish(body=publication.body, properties={"delivery_mode": mode}, **where))

    def body_bytes(self) -> int:
        """A size: mostly small, seldom above a frame."""
        is_large = self.chance.random() < self.round.large_share
        return FRAME_BYTES_MORE if is_large else int(2 ** self.chance.uniform(0, 9))


class Publisher(Client):
    """Publishes over a confirm channel, with at most a window of unconfirmed messages."""

    def __init__(self, at: Round, link: Link, channel: WireChannel, source: str, routes: list[Route]) -> None:
        super().__init__(at, link, channel)
        self._source, self._routes = source, routes
        self._window = self.chance.choice((1, 10, 100))
        self._left = self.chance.randint(1, MESSAGES_MAX)
        self._next = 1
        self._unconfirmed: dict[int, Publication] = {}
        channel.call(Confirm.select())

    def begin(self) -> None:
        """Fill the window."""
        while self._left and len(self._unconfirmed) < self._window and not self.round.is_over:
            route = self.chance.choice(self._routes)
            persistent = self.chance.random() < 0.85
            publication = self.ledger.published(self._source, route.queues, self.body_bytes(), persistent)
            self._unconfirmed[self._next] = publication
            self._next += 1
            self._left -= 1
            self.publish(route, publication)

    def received(self, method: Method) -> None:
        """Take returns and confirms."""
        if method.name == "basic.return":
            self.ledger.returned(method.body or b"")
            return
        first = min(self._unconfirmed, default=0) if method.multiple else method.delivery_tag
        for tag in range(first, method.delivery_tag + 1):
            publication = self._unconfirmed.pop(tag, None)
            if publication is not None and method.name == "basic.ack":
                self.ledger.confirmed(publication)
                self.round.note("confirm")
            elif not method.multiple:
                self.ledger.violated(f"{self._source}: {method} for {publication}")
        self.begin()


class Filler(Publisher):
    """Publishes far more than the consumers settle."""

    def begin(self) -> None:
        """Fill a window that is larger than others'."""
        if self._window != DEEP_WINDOW:
            self._window, self._left = DEEP_WINDOW, DEEP_MESSAGES
        super().begin()


class Transactor(Client):
    """Publishes to two queues in transactions, one after the other; rolls some back."""

    def __init__(self, at: Round, link: Link, channel: WireChannel) -> None:
        super().__init__(at, link, channel)
        self._transaction = Transaction(0)
        channel.call(Tx.select())

    def begin(self) -> None:
        """Send a whole transaction."""
        if self.round.is_over:
            return
        self._transaction = self.ledger.transaction()
        for _ in range(self.chance.randint(1, 5)):
            for queue in TX_QUEUES:
                route = Route("", queue, (queue,))
                self.publish(
                    route,
                    self.ledger.published(
                        "transactor", route.queues, self.body_bytes(), transaction=self._transaction
                    ),
                )
        if self.chance.random() < 0.25:
            self._transaction.state = ROLLED_BACK
            self.send(Tx.rollback())
        elif not self.round.is_over:
            self._transaction.state = COMMITTING
            self.send(Tx.commit())

    def received(self, method: Method) -> None:
        """Take the answer, and go on."""
        if method.name == "tx.commit_ok":
            self._transaction.state = COMMITTED
            self.round.note("commit")
        self.begin()


class Wiper(Client):
    """Publishes some messages, purges or deletes the queue when they are confirmed, and begins again.

    `ready` is what may be in the queue, from earlier epochs too.
    """

    def __init__(self, at: Round, link: Link, channel: WireChannel, ready: list[Publication]) -> None:
        super().__init__(at, link, channel)
        self._ready = ready
        self._publications: list[Publication] = []
        self._confirmed = 0
        channel.call(Confirm.select())

    def begin(self) -> None:
        """Publish."""
        route = Route("", "wipe", ("wipe",))
        for _ in range(self.chance.randint(1, 20)):
            self._publications.append(self.ledger.published("wiper", route.queues, self.body_bytes()))
            self._ready.append(self._publications[-1])
            self.publish(route, self._publications[-1])

    def received(self, method: Method) -> None:
        """Take confirms and answers."""
        match method.name:
            case "basic.ack":
                first = self._confirmed if method.multiple else method.delivery_tag - 1
                for publication in self._publications[first : method.delivery_tag]:
                    self.ledger.confirmed(publication)
                self._confirmed = method.delivery_tag
                if self._confirmed == len(self._publications):
                    self._wipe()
            case "queue.purge_ok" | "queue.delete_ok":
                self.ledger.wiped(self._ready)
                self._ready.clear()
                self.round.note("wipe")
                if method.name == "queue.delete_ok":
                    self.send(Queue.declare(queue="wipe", durable=True))
                else:
                    self.begin()
            case "queue.declare_ok":
                self.begin()

    def _wipe(self) -> None:
        self.ledger.wiping(self._ready)
        self.send(self.chance.choice((Queue.purge, Queue.delete))(queue="wipe"))


class Builder(Client):
    """Declares queues and binds them, one after the other; those whose bind-ok came are `built`."""

    def __init__(self, at: Round, link: Link, channel: WireChannel, built: list[str]) -> None:
        super().__init__(at, link, channel)
        self._built = built
        self._count = 0

    def begin(self) -> None:
        """Declare the next one."""
        if self._count < BUILT_MAX:
            self._count += 1
            name = self._name()
            self.send(
                Queue.declare(queue=name, durable=True),
                Queue.bind(queue=name, exchange=BUILT, routing_key=name),
            )

    def _name(self) -> str:
        return f"built.{self.ledger.epoch}.{self._count}"

    def received(self, method: Method) -> None:
        """Take the answers."""
        if method.name == "queue.bind_ok":
            self._built.append(self._name())
            self.round.note("build")
            self.begin()


class Consumer(Client):
    """Acks what it gets, some of it late; the picky kind also requeues some and keeps some."""

    def __init__(self, at: Round, link: Link, channel: WireChannel, queue: str, is_picky: bool) -> None:
        super().__init__(at, link, channel)
        self._queue, self._is_picky = queue, is_picky
        self._tag = f"{queue} by {id(self)}"
        self._waiting: deque[tuple[int, Publication]] = deque()
        self._batch = self.chance.choice((1, 1, 20))
        self._prefetch = self.chance.choice((1, 10, 200))

    def begin(self) -> None:
        """Consume."""
        self.ledger.consuming(self._queue)
        if self._batch < self._prefetch:
            self.send(Basic.qos(prefetch_count=self._prefetch))
        self.send(Basic.consume(queue=self._queue, consumer_tag=self._tag))

    def received(self, method: Method) -> None:
        """Take a delivery."""
        if method.name != "basic.deliver":
            return
        body, tag = method.body or b"", method.delivery_tag
        publication = self.ledger.delivered(self._queue, self._tag, body, method.redelivered)
        self.round.note("delivery")
        if publication is None or self.round.is_over:
            return
        draw = self.chance.random() if self._is_picky else 1.0
        if draw < 0.1 and not method.redelivered:
            self.send(Basic.nack(delivery_tag=tag, requeue=True))
        elif draw > 0.2:
            self._waiting.append((tag, publication))
            self._ack_batch()

    def _ack_batch(self) -> None:
        """A picky one acks one by one: `multiple` would ack what it keeps."""
        if len(self._waiting) < self._batch:
            return
        for _, publication in self._waiting:
            self.ledger.acked(self._queue, publication)
        if self._is_picky:
            self.send(*[Basic.ack(delivery_tag=tag) for tag, _ in self._waiting])
        else:
            self.send(Basic.ack(delivery_tag=self._waiting[-1][0], multiple=True))
        self._waiting.clear()


class Hoarder(Client):
    """Holds what it gets, all of it, then acks a part, gives everything back, or loses its connection."""

    def __init__(self, at: Round, link: Link, channel: WireChannel, queue: str) -> None:
        super().__init__(at, link, channel)
        self._queue = queue
        self._tag = f"{queue} by {id(self)}"
        self._held: list[tuple[int, Publication]] = []
        self._acked: list[Publication] = []
        self._enough = int(2 ** self.chance.uniform(4, 11))

    def begin(self) -> None:
        """Consume without a prefetch limit."""
        self.ledger.consuming(self._queue)
        self.send(Basic.consume(queue=self._queue, consumer_tag=self._tag))

    def received(self, method: Method) -> None:
        """Take a delivery."""
        if method.name != "basic.deliver" or self.link.is_dropped:
            return
        publication = self.ledger.delivered(self._queue, self._tag, method.body or b"", method.redelivered)
        self.round.note("delivery")
        if publication is None or self.round.is_over:
            return
        self._held.append((method.delivery_tag, publication))
        if len(self._held) >= self._enough:
            self._decide()

    def _decide(self) -> None:
        draw = self.chance.random()
        if draw < 0.4:
            some = len(self._held) // 4 + 1
            for _, publication in self._held[:some]:
                self.ledger.acked(self._queue, publication)
                self._acked.append(publication)
            self.send(Basic.ack(delivery_tag=self._held[some - 1][0], multiple=True))
            del self._held[:some]
        elif draw < 0.8:
            self.send(Basic.nack(delivery_tag=self._held[-1][0], multiple=True, requeue=True))
            self._held.clear()
        else:
            for publication in self._acked:
                self.ledger.doubted(self._queue, publication)
            self.link.drop()
