"""What a broker says on its event exchange, as a client sees it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel

SECONDS = 30
EXCHANGE = "amq.rabbitmq.event"
# Headers that RabbitMQ does not have.
OURS = {"user_address", "connection_name"}
# RabbitMQ 3.10 marks an exchange that it deletes, which is nobody's business.
INTERNALS = {"exchange-delete-in-progress"}


class Event:
    """One message of the event exchange."""

    def __init__(self, name: str, properties: pika.BasicProperties, body: bytes) -> None:
        self.name = name
        self.headers: dict[str, Any] = dict(properties.headers or {})
        self.timestamp = properties.timestamp
        self.delivery_mode = properties.delivery_mode
        self.body = body

    def __repr__(self) -> str:
        return f"{self.name} {self.headers}"

    def fields(self) -> dict[str, Any]:
        """The headers that are the same each time; ours are left out where RabbitMQ has none."""
        login = self.name.startswith("user.authentication.")
        ignored = {"timestamp_in_ms"} | (OURS - {"connection_name"} if login else OURS)
        return {name: value for name, value in self.headers.items() if name not in ignored}


class EventLog:
    """An exclusive queue bound for all events, and what came since."""

    def __init__(self, connection: pika.BlockingConnection) -> None:
        self._connection = connection
        self._channel: BlockingChannel = connection.channel()
        self.queue = self._channel.queue_declare("", exclusive=True).method.queue
        self._channel.queue_bind(self.queue, EXCHANGE, "#")
        self.events: list[Event] = []

    def until(self, is_complete: Callable[[list[Event]], bool], *words: str) -> list[Event]:
        """The events about any of `words`, once they are complete; those of others are left out."""
        deadline = time.monotonic() + SECONDS
        while True:
            method, properties, body = self._channel.basic_get(self.queue, auto_ack=True)
            if method is not None:
                event = Event(method.routing_key, properties, body)
                if event.headers.get("component") not in INTERNALS:
                    self.events.append(event)
                continue
            found = [event for event in self.events if any(word in repr(event) for word in words)]
            if is_complete(found):
                return found
            assert time.monotonic() < deadline, found
            self._connection.process_data_events(0.02)

    def named(self, last: str, *words: str) -> list[Event]:
        """The events about any of `words`, as soon as one of the name `last` is among them."""
        return self.until(lambda found: any(event.name == last for event in found), *words)

    def one(self, name: str, *words: str) -> Event:
        """The only event of a name about any of `words`."""
        [event] = [event for event in self.named(name, *words) if event.name == name]
        return event

    def forget(self) -> None:
        """Begin anew."""
        self.until(lambda found: True)
        self.events.clear()
