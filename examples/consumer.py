"""A consumer that loses nothing: it acks what it has done, and comes back after a broken connection.

AMQP_URL says where from, COUNT after how many orders to end (0: never). An order that came before is known by
its message_id and not done twice.
"""

import os
import time

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.spec import Basic, BasicProperties

URL = os.environ.get("AMQP_URL", "amqp://guest:guest@localhost:5672/")
COUNT = int(os.environ.get("COUNT", "0"))
EXCHANGE, QUEUE, DEAD = "orders", "orders.billing", "orders.billing.dead"
# How many orders to remember. A real consumer remembers in its database, together with the work.
SEEN_MAX = 10_000


class Billing:
    """Does the work, and knows what was done."""

    def __init__(self) -> None:
        self.done = 0
        self.seen: dict[str, None] = {}

    def on_message(
        self, channel: BlockingChannel, method: Basic.Deliver, properties: BasicProperties, body: bytes
    ) -> None:
        """Do one order, or reject what cannot be one: it becomes a dead letter."""
        if not body.startswith(b'{"order": '):
            channel.basic_reject(method.delivery_tag, requeue=False)
            return
        if properties.message_id not in self.seen:
            self.seen[properties.message_id] = None
            if len(self.seen) > SEEN_MAX:
                del self.seen[next(iter(self.seen))]
            self.done += 1
            if self.done % 100 == 0 or self.done == COUNT:
                print(f"{self.done} orders billed")
        channel.basic_ack(method.delivery_tag)
        if self.done == COUNT:
            channel.stop_consuming()


def consume(billing: Billing) -> None:
    """Work until the connection breaks, or until all is done."""
    connection = pika.BlockingConnection(pika.URLParameters(URL))
    channel = connection.channel()
    channel.exchange_declare(EXCHANGE, "topic", durable=True)
    channel.queue_declare(DEAD, durable=True)
    dead = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": DEAD}
    channel.queue_declare(QUEUE, durable=True, arguments=dead)
    channel.queue_bind(QUEUE, EXCHANGE, "order.#")
    channel.basic_qos(prefetch_count=50)
    channel.basic_consume(QUEUE, billing.on_message)
    print("consuming")
    channel.start_consuming()
    connection.close()


def main() -> None:
    """Consume, and connect again, ever more seldom while nobody is there."""
    billing = Billing()
    failures = 0
    while billing.done != COUNT or not COUNT:
        done = billing.done
        try:
            consume(billing)
        except (pika.exceptions.AMQPError, OSError) as error:
            failures = 0 if billing.done > done else failures + 1
            pause = min(5, 0.2 * 2**failures)
            print(f"no broker, trying again in {pause} s: {error!r}")
            time.sleep(pause)


if __name__ == "__main__":
    main()
