"""A message through an installed package, across a restart: what each wheel is tried with."""

import tempfile

import pika

from supersoniq import Broker


def main() -> None:
    """Publish, confirm, stop, start, receive."""
    with tempfile.TemporaryDirectory() as directory:
        with Broker(data_dir=directory) as broker:
            connection = pika.BlockingConnection(pika.URLParameters(broker.url))
            channel = connection.channel()
            channel.confirm_delivery()
            channel.queue_declare("hello", durable=True)
            channel.basic_publish("", "hello", b"Hello!", pika.BasicProperties(delivery_mode=2))
            connection.close()
        with Broker(data_dir=directory) as broker:
            connection = pika.BlockingConnection(pika.URLParameters(broker.url))
            body = connection.channel().basic_get("hello", auto_ack=True)[2]
            connection.close()
    assert body == b"Hello!", body
    print("a message went through, and was there after a restart")


if __name__ == "__main__":
    main()
