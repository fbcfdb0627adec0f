"""A producer that loses nothing: it waits for each confirm, and publishes again after a broken connection.

AMQP_URL says where to, RATE how many orders a second, COUNT how many in all (0: for ever).
"""

import itertools
import os
import time
import uuid
from collections.abc import Iterator

import pika
from pika.adapters.blocking_connection import BlockingChannel

URL = os.environ.get("AMQP_URL", "amqp://guest:guest@localhost:5672/")
RATE = float(os.environ.get("RATE", "10"))
COUNT = int(os.environ.get("COUNT", "0"))
EXCHANGE, QUEUE, DEAD = "orders", "orders.billing", "orders.billing.dead"


def declare(channel: BlockingChannel) -> None:
    """Make what both sides need; whoever comes first makes it."""
    channel.exchange_declare(EXCHANGE, "topic", durable=True)
    channel.queue_declare(DEAD, durable=True)
    dead = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": DEAD}
    channel.queue_declare(QUEUE, durable=True, arguments=dead)
    channel.queue_bind(QUEUE, EXCHANGE, "order.#")


def connected() -> BlockingChannel:
    """Return a channel with confirms; try until there is one, ever more seldom."""
    for pause in itertools.chain((0.2, 0.5, 1, 2), itertools.repeat(5)):
        try:
            channel = pika.BlockingConnection(pika.URLParameters(URL)).channel()
            declare(channel)
            channel.confirm_delivery()
        except pika.exceptions.AMQPError as error:
            print(f"no broker, trying again in {pause} s: {error!r}")
            time.sleep(pause)
        else:
            print("connected")
            return channel
    raise AssertionError("not reached")


def publish(channel: BlockingChannel, number: int) -> BlockingChannel:
    """Publish an order until it is confirmed; return the channel to go on with."""
    properties = pika.BasicProperties(
        delivery_mode=2, content_type="application/json", message_id=str(uuid.uuid4()), type="order.placed"
    )
    while True:
        try:
            body = b'{"order": %d}' % number
            channel.basic_publish(EXCHANGE, "order.placed", body, properties, mandatory=True)
        except pika.exceptions.NackError:
            print(f"order {number} was refused, trying again")
            time.sleep(1)
        except (pika.exceptions.AMQPConnectionError, pika.exceptions.ChannelClosed) as error:
            print(f"connection lost, order {number} is published again: {error!r}")
            channel = connected()
        else:
            return channel


def numbers() -> Iterator[int]:
    """Count as far as COUNT says."""
    return iter(range(1, COUNT + 1)) if COUNT else itertools.count(1)


def main() -> None:
    """Publish at the given rate; heartbeats are answered meanwhile."""
    channel = connected()
    for number in numbers():
        channel = publish(channel, number)
        if number % 100 == 0 or number == COUNT:
            print(f"{number} orders are safe")
        try:
            channel.connection.sleep(1 / RATE)
        except pika.exceptions.AMQPConnectionError:
            channel = connected()
    channel.connection.close()


if __name__ == "__main__":
    main()
