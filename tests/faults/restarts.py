"""Claims about restarts, written as one story: what is before each `yield`, and what is found after it.

    @across_restarts
    def test_durable_queue_is_there(clients: Clients) -> Story:
        clients.channel().queue_declare(clients.name, durable=True)
        yield
        clients.channel().queue_declare(clients.name, passive=True)

A restart is slow, so the stories of a module share it: all are told up to their `yield`, the broker is
stopped in order (in another run killed) and started again, and all go on.
"""

import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pika
from pika.exceptions import AMQPError, ChannelClosedByBroker
from tests.conformance.wire import Wire, WireChannel
from tests.faults.nodes import Node

Story = Iterator[None]
Scenario = Callable[["Clients"], Story]

PERSISTENT = pika.BasicProperties(delivery_mode=2)
TRANSIENT = pika.BasicProperties(delivery_mode=1)


class Clients:
    """The connections of one story to the broker as it runs now; those left open are open when it ends.

    `name` is a name that no other story uses.
    """

    def __init__(self, node: Node, name: str) -> None:
        self.name = name
        self._node = node
        self._connections: list[pika.BlockingConnection] = []
        self._wires: list[Wire] = []

    def connection(self, vhost: str = "%2F") -> pika.BlockingConnection:
        """A connection of pika's."""
        url = self._node.url.removesuffix("%2F") + vhost
        self._connections.append(pika.BlockingConnection(pika.URLParameters(url)))
        return self._connections[-1]

    def channel(self) -> Any:
        """A channel of pika's, on a connection of its own; a publish returns when it is confirmed."""
        channel = self.connection().channel()
        channel.confirm_delivery()
        return channel

    def wire(self) -> WireChannel:
        """A channel that says exactly what it is told, on a connection of its own."""
        self._wires.append(self._node.wire())
        return self._wires[-1].channel()

    def refusal(self, call: Callable[[Any], object]) -> int:
        """The reply code with which the broker closes the channel that `call` uses; 0 if it does not."""
        try:
            call(self.channel())
        except ChannelClosedByBroker as closed:
            code: int = closed.reply_code
            return code
        return 0

    def has_queue(self, name: str) -> bool:
        """Whether there is such a queue."""
        return self.refusal(lambda channel: channel.queue_declare(name, passive=True)) != 404

    def has_exchange(self, name: str) -> bool:
        """Whether there is such an exchange."""
        return self.refusal(lambda channel: channel.exchange_declare(name, passive=True)) != 404

    def durable_queue(self, suffix: str = "", arguments: dict[str, Any] | None = None) -> str:
        """Declare a durable queue and return its name."""
        self.channel().queue_declare(self.name + suffix, durable=True, arguments=arguments)
        return self.name + suffix

    def publish(self, queue: str, *bodies: bytes, properties: pika.BasicProperties = PERSISTENT) -> None:
        """Publish over the default exchange, and wait for the confirms."""
        channel = self.channel()
        for body in bodies:
            channel.basic_publish("", queue, body, properties, mandatory=True)

    def drain(self, queue: str) -> list[tuple[bytes, bool]]:
        """Take everything that is ready; with the redelivered flags."""
        channel = self.channel()
        taken: list[tuple[bytes, bool]] = []
        while True:
            method, _, body = channel.basic_get(queue, auto_ack=True)
            if method is None:
                return taken
            taken.append((body, method.redelivered))

    def bodies(self, queue: str) -> list[bytes]:
        """Take everything that is ready."""
        return [body for body, _ in self.drain(queue)]

    def forget(self) -> None:
        """Close what a restart has left."""
        for wire in self._wires:
            wire.drop()
        for connection in self._connections:
            with contextlib.suppress(AMQPError, OSError):
                connection.close()
        self._wires.clear()
        self._connections.clear()


class Telling:
    """Tells all stories over the same restarts; remembers how each one ended."""

    def __init__(self, node: Node, scenarios: list[Scenario], number: signal.Signals) -> None:
        self._errors: dict[str, Exception] = {}
        self._clients: dict[str, Clients] = {}
        self._running: dict[str, Story] = {}
        for scenario in scenarios:
            name = scenario.__name__
            self._clients[name] = Clients(node, name)
            self._running[name] = scenario(self._clients[name])
        node.start()
        self._go_on()
        while self._running:
            node.stop(number)
            self._forget()
            node.start()
            self._go_on()
        self._forget()

    def _go_on(self) -> None:
        for name, story in list(self._running.items()):
            try:
                next(story)
            except StopIteration:
                del self._running[name]
            except Exception as error:
                self._errors[name] = error
                del self._running[name]

    def _forget(self) -> None:
        for clients in self._clients.values():
            clients.forget()

    def check(self, name: str) -> None:
        """Raise what the story raised."""
        if name in self._errors:
            raise self._errors[name]


def across_restarts(scenario: Scenario) -> Callable[[Telling], None]:
    """Make a test of a story; the fixture `telling` has told it."""

    def test(telling: Telling) -> None:
        telling.check(scenario.__name__)

    test.__name__ = scenario.__name__
    test.__dict__["scenario"] = scenario
    return test
