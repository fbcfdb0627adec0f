"""Queues that are changed in place: who may, what is refused, and what is left as it was."""

from pathlib import Path
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel
from tests.broker.test_events import Listener
from tests.management.api import Api
from tests.management.cases import NOT_FOUND, REFUSED, Case, bad, play
from tests.management.conftest import Common

from supersoniq import Broker

Q = "/queues/$V/q"


def changed(common: Common, **arguments: object) -> Any:
    named = {"x-" + name.replace("_", "-"): value for name, value in arguments.items()}
    return common.api.ask("PATCH", common.path(Q), {"arguments": named})


def test_arguments_change_and_messages_stay(ours: Common, our_channel: BlockingChannel) -> None:
    our_channel.queue_declare("q")
    our_channel.confirm_delivery()
    for number in range(3):
        our_channel.basic_publish("", "q", str(number).encode())
    answer = changed(ours, max_length=2, expires=60000)
    assert (answer.status, answer.value["name"], answer.value["messages_ready"]) == (200, "q", 2)
    assert answer.value["arguments"] == {"x-max-length": 2, "x-expires": 60000}
    assert changed(ours, max_length=None).value["arguments"] == {"x-expires": 60000}
    our_channel.queue_declare("q", arguments={"x-expires": 60000})
    assert [our_channel.basic_get("q", auto_ack=True)[2] for _ in range(2)] == [b"1", b"2"]


def test_exclusive_queue_is_locked(ours: Common, our_channel: BlockingChannel) -> None:
    our_channel.queue_declare("q", exclusive=True)
    answer = changed(ours, max_length=2)
    assert answer.status == 400
    assert answer.value["reason"].startswith("cannot obtain exclusive access to locked queue 'q'")


def test_what_is_refused_changes_nothing(ours: Common, our_channel: BlockingChannel) -> None:
    our_channel.queue_declare("q", arguments={"x-max-length": 5})
    invalid = "invalid arg 'x-max-length' for queue 'q' in vhost '$V': \"expected integer, got longstr\""
    deduplication = {"x-message-deduplication": True, "x-cache-size": -1}
    unknown = "invalid arg 'x-cache-size': expected an integer from 0 on"
    play(
        ours,
        [
            Case("PATCH", Q, {"arguments": {"x-max-length": "a"}}, 400),
            Case("PATCH", Q, {"arguments": deduplication}, 400, bad(unknown)),
            Case("PATCH", Q, {"arguments": {"x-dead-letter-routing-key": "k"}}, 400),
            Case("PATCH", Q, {"arguments": ["x"]}, 400, bad(["not_map", "arguments"])),
            Case("PATCH", Q, {}, 400, bad("[{key_missing,arguments}]")),
            Case("PATCH", "/queues/$V/nope", {"arguments": {}}, 404, NOT_FOUND),
        ],
    )
    assert changed(ours, max_length="a").value["reason"] == invalid.replace("$V", ours.vhost)
    assert ours.api.get(ours.path(Q))["arguments"] == {"x-max-length": 5}


def test_rights_are_those_to_declare_it(ours: Common, our_channel: BlockingChannel) -> None:
    our_channel.queue_declare("q")
    path = ours.path(Q)
    other = ours.user("management", "^other")
    answer = other.ask("PATCH", path, {"arguments": {"x-max-length": 1}})
    assert (answer.status, answer.value) == (401, REFUSED)
    owner = ours.user("management", "^q$")
    assert owner.ask("PATCH", path, {"arguments": {"x-max-length": 1}}).status == 200
    # Its messages would go where the user may not publish.
    answer = owner.ask("PATCH", path, {"arguments": {"x-dead-letter-exchange": "amq.fanout"}})
    assert (answer.status, answer.value) == (401, REFUSED)
    assert owner.ask("PATCH", path, {"arguments": {"x-dead-letter-exchange": "q"}}).status == 200


def test_change_is_told_of_and_lasts(tmp_path: Path) -> None:
    listener = Listener()
    path = "/api/queues/%2F/q"
    with Broker(data_dir=tmp_path, management="on") as broker:
        broker.node.events.listeners.append(listener)
        api = Api(broker.api_url)
        api.put(path, {"durable": True})
        with pika.BlockingConnection(pika.URLParameters(broker.url)) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.basic_publish("", "q", b"kept", pika.BasicProperties(delivery_mode=2))
        assert api.ask("PATCH", path, {"arguments": {"x-max-length": 7}}).status == 200
    [fields] = [fields for name, fields in listener.heard if name == "supersoniq.queue.changed"]
    assert (fields["user_who_performed_action"], fields["name"], fields["vhost"]) == ("guest", b"q", "/")
    with Broker(data_dir=tmp_path, management="on") as broker:
        found = Api(broker.api_url).get(path)
    assert (found["arguments"], found["messages_ready"]) == ({"x-max-length": 7}, 1)
