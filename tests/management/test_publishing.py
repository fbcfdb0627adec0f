"""Publishing for a request: by the rules of AMQP, and safe when it is answered."""

from pathlib import Path

import pika
from tests.management.api import Api
from tests.management.conftest import Common

from supersoniq import Broker

MESSAGE = {"routing_key": "q", "payload": "x", "payload_encoding": "string", "properties": {}}


def publish(common: Common, exchange: str, **changes: object) -> bool:
    path = common.path(f"/exchanges/$V/{exchange}/publish")
    return bool(common.api.post(path, {**MESSAGE, **changes})["routed"])


def test_carbon_copies_and_dead_letters_are_made(ours: Common) -> None:
    for name in ("q", "copy", "dead"):
        ours.api.put(ours.path(f"/queues/$V/{name}"))
    dead = {"x-max-length": 0, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}
    ours.api.put(ours.path("/queues/$V/short"), {"arguments": dead})
    assert publish(ours, "amq.default", properties={"headers": {"CC": ["copy"]}})
    assert publish(ours, "amq.default", routing_key="short")
    for name in ("q", "copy", "dead"):
        assert ours.api.get(ours.path(f"/queues/$V/{name}"))["messages"] == 1


def test_queue_that_refuses_did_not_take_it(ours: Common) -> None:
    arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
    ours.api.put(ours.path("/queues/$V/q"), {"arguments": arguments})
    assert publish(ours, "amq.default")
    assert not publish(ours, "amq.default")


def test_channels_of_requests_do_not_stay(ours: Common) -> None:
    ours.api.put(ours.path("/queues/$V/q"))
    for _ in range(3):
        publish(ours, "amq.default")
    assert ours.api.get(ours.path("/vhosts/$V/channels")) == []
    assert ours.api.get(ours.path("/vhosts/$V"))["message_stats"]["publish"] == 3


def test_what_was_answered_is_there_after_a_restart(tmp_path: Path) -> None:
    with Broker(management="on", data_dir=tmp_path) as broker:
        api = Api(broker.api_url)
        api.put("/api/queues/%2F/q", {"durable": True})
        properties = {"delivery_mode": 2}
        api.post("/api/exchanges/%2F/amq.default/publish", {**MESSAGE, "properties": properties})
    with (
        Broker(data_dir=tmp_path) as broker,
        pika.BlockingConnection(pika.URLParameters(broker.url)) as client,
    ):
        assert client.channel().queue_declare("q", passive=True).method.message_count == 1
