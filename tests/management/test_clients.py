"""Clients that nobody here wrote: RabbitMQ's rabbitmqadmin, AMQPStorm, Celery Flower's broker page."""

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from amqpstorm.management.api import ManagementApi
from amqpstorm.management.exception import ApiError
from flower.utils.broker import RabbitMQ

from supersoniq import Broker


@pytest.fixture
def storm(shared_broker: Broker) -> ManagementApi:
    return ManagementApi(shared_broker.api_url, "guest", "guest", timeout=30)


def test_amqpstorm_declares_publishes_gets_and_deletes(storm: ManagementApi) -> None:
    storm.queue.declare("storm", durable=True)
    storm.exchange.declare("storm-x", exchange_type="topic")
    storm.queue.bind("storm", "storm-x", "a.b")
    assert [each["source"] for each in storm.queue.bindings("storm")] == ["", "storm-x"]
    assert storm.basic.publish("hello", "a.b", "storm-x")["routed"]
    taken = [dict(message) for message in storm.basic.get("storm", requeue=True, to_dict=True)]
    assert [message["payload"] for message in taken] == ["hello"]
    assert storm.queue.get("storm")["messages"] == 1
    storm.queue.purge("storm")
    storm.queue.unbind("storm", "storm-x", "a.b")
    storm.exchange.delete("storm-x")
    storm.queue.delete("storm")
    with pytest.raises(ApiError, match="NOT-FOUND"):
        storm.queue.get("storm")


def test_amqpstorm_administers(storm: ManagementApi) -> None:
    storm.virtual_host.create("storm-v")
    storm.user.create("storm-u", "secret", tags="management")
    storm.user.set_permission("storm-u", "storm-v", ".*", ".*", ".*")
    assert storm.user.get_permission("storm-u", "storm-v")["read"] == ".*"
    assert storm.aliveness_test("storm-v")["status"] == "ok"
    assert storm.whoami()["name"] == "guest"
    assert storm.overview()["rabbitmq_version"]
    assert storm.nodes()[0]["running"]
    storm.user.delete("storm-u")
    storm.virtual_host.delete("storm-v")
    assert "storm-v" not in [each["name"] for each in storm.virtual_host.list()]


def test_flower_shows_the_queues_of_the_broker(shared_broker: Broker, storm: ManagementApi) -> None:
    storm.queue.declare("celery")

    async def shown() -> list[dict[str, object]]:
        broker = RabbitMQ(shared_broker.url, f"{shared_broker.api_url.replace('//', '//guest:guest@')}/api/")
        found: list[dict[str, object]] = await broker.queues(["celery"])
        return found

    queues = asyncio.run(shown())
    assert [queue["name"] for queue in queues] == ["celery"]
    assert {"messages", "messages_unacknowledged", "messages_ready", "consumers"} <= queues[0].keys()
    storm.queue.delete("celery")


@pytest.fixture
def admin(shared_broker: Broker) -> str:
    """The script, with the host and port that it is to ask."""
    found = shutil.which("rabbitmqadmin")
    assert found, "put rabbitmqadmin of RabbitMQ 3 on the path; Debian's package rabbitmq-server has it"
    return found


def run(admin: str, broker: Broker, *words: str) -> str:
    """What it prints; anything but success is an error."""
    address = urlsplit(broker.api_url)
    command = [sys.executable, admin, "-H", str(address.hostname), "-P", str(address.port), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_rabbitmqadmin_declares_publishes_gets_and_deletes(shared_broker: Broker, admin: str) -> None:
    for words in (
        "declare queue name=adm durable=true",
        "declare exchange name=admx type=topic",
        "declare binding source=admx destination=adm routing_key=a.#",
        'declare policy name=admp pattern=^adm definition={"max-length":5}',
    ):
        run(admin, shared_broker, *words.split())
    published = run(admin, shared_broker, "publish", "exchange=admx", "routing_key=a.b", "payload=hello")
    assert published == "Message published\n"
    assert "hello" in run(admin, shared_broker, "get", "queue=adm", "ackmode=ack_requeue_false")
    assert "| adm  | admp   |" in run(admin, shared_broker, "list", "queues", "name", "policy")
    for words in ("delete queue name=adm", "delete exchange name=admx", "delete policy name=admp"):
        run(admin, shared_broker, *words.split())


def test_rabbitmqadmin_exports_and_imports(shared_broker: Broker, admin: str, tmp_path: Path) -> None:
    file = str(tmp_path / "definitions.json")
    run(admin, shared_broker, "declare", "vhost", "name=admv")
    run(admin, shared_broker, "export", file)
    run(admin, shared_broker, "delete", "vhost", "name=admv")
    run(admin, shared_broker, "import", file)
    assert "admv" in run(admin, shared_broker, "list", "vhosts")
    run(admin, shared_broker, "delete", "vhost", "name=admv")
