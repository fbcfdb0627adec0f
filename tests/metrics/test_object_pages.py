"""The pages of single objects."""

import asyncio

import pytest
from tests.conformance.codec import Exchange
from tests.metrics.reading import Read, Reader
from tests.session.script import Node

from supersoniq.broker.vhost import VHost
from supersoniq.metrics.object_pages import OF_CHANNELS, OF_CONNECTIONS, OF_EXCHANGES, OF_QUEUES, OF_VHOSTS

DETAILED = "/metrics/detailed"


@pytest.fixture
def node() -> Node:
    node = Node()
    node.queue()
    other = node.context.vhosts["other"] = VHost("other", node.turn, node.store, node.names)
    other.declare_queue(b"q", False, False, False, {}, 0)
    return node


def detailed(node: Node, *groups: str, **more: list[str]) -> Read:
    return Reader(node).read(DETAILED, family=list(groups), **more)


def names(page: Read) -> set[str]:
    return {name for name, _ in page.samples if not name.endswith("_info")}


def test_each_queue_has_its_sample(node: Node) -> None:
    node.channel().publish(b"a", b"b")
    found = detailed(node, "queue_coarse_metrics")
    assert names(found) == {
        "rabbitmq_detailed_queue_messages_ready",
        "rabbitmq_detailed_queue_messages_unacked",
        "rabbitmq_detailed_queue_messages",
    }
    assert found.value("rabbitmq_detailed_queue_messages", vhost="/", queue="q") == 2
    assert found.value("rabbitmq_detailed_queue_messages", vhost="other", queue="q") == 0


def test_virtual_hosts_can_be_chosen(node: Node) -> None:
    found = detailed(node, "queue_coarse_metrics", vhost=["other"])
    assert found.label_names("rabbitmq_detailed_queue_messages") == {frozenset({"vhost", "queue"})}
    assert len(found.labelled("rabbitmq_detailed_queue_messages")) == 1
    assert names(detailed(node, "queue_coarse_metrics", vhost=["missing"])) == set()


def test_no_group_or_an_unknown_one_is_the_identity_alone(node: Node) -> None:
    for page in (detailed(node), detailed(node, "nonsense")):
        assert {name for name, _ in page.samples} == {"rabbitmq_build_info", "rabbitmq_identity_info"}


@pytest.mark.parametrize("group", [*OF_QUEUES, *OF_CHANNELS, *OF_CONNECTIONS, *OF_EXCHANGES, *OF_VHOSTS])
def test_every_group_can_be_asked_for(node: Node, group: str) -> None:
    node.channel().publish(b"a")
    tables = {**OF_QUEUES, **OF_CHANNELS, **OF_CONNECTIONS, **OF_EXCHANGES, **OF_VHOSTS}
    assert len(names(detailed(node, group))) == len(tables[group])


def test_all_groups_together_name_each_family_once(node: Node) -> None:
    node.channel().publish(b"a")
    groups = [*OF_QUEUES, *OF_CHANNELS, *OF_CONNECTIONS, *OF_EXCHANGES, *OF_VHOSTS]
    found = detailed(node, *groups)  # reading it checks that
    assert found.value("rabbitmq_cluster_vhost_status", vhost="other") == 1


def test_groups_of_the_node_can_be_asked_for(node: Node) -> None:
    groups = ["connection_churn_metrics", "node_coarse_metrics", "node_metrics", "node_persister_metrics"]
    found = names(detailed(node, *groups, "auth_attempt_metrics"))
    assert "rabbitmq_detailed_connections_opened_total" in found
    assert "rabbitmq_detailed_process_open_fds" in found
    assert "rabbitmq_detailed_process_max_fds" in found
    assert "rabbitmq_detailed_io_sync_ops_total" in found
    assert "rabbitmq_detailed_auth_attempts_total" in found


def test_channels_and_connections_have_their_names(node: Node) -> None:
    channel = node.channel().publish(b"a", b"b")
    channel.client.session.client.located("127.0.0.1", 50000, "127.0.0.1", 5672)
    channel.client.session.client.traffic.received_bytes = 50
    found = detailed(node, "channel_exchange_metrics", "connection_coarse_metrics")
    path = "127.0.0.1:50000 -> 127.0.0.1:5672"
    assert found.value("rabbitmq_detailed_channel_messages_published_total", channel=f"{path} (1)") == 2
    assert found.value("rabbitmq_detailed_connection_incoming_bytes_total", channel=path) == 50


def test_exchanges(node: Node) -> None:
    channel = node.channel()
    channel >> Exchange.declare(exchange="x", type="fanout") << Exchange.declare_ok()
    node.vhost.bind(b"x", node.vhost.queues[b"q"], b"", {})
    channel.publish(b"a", exchange="x")
    found = detailed(node, "exchange_metrics", "exchange_names", "exchange_bindings", vhost=["/"])
    assert found.value("rabbitmq_detailed_exchange_messages_published_total", vhost="/", exchange="x") == 1
    assert found.value("supersoniq_exchange_messages_routed_total", vhost="/", exchange="x") == 1
    assert found.value("rabbitmq_cluster_exchange_name", vhost="/", exchange="x", type="fanout") == 1
    assert found.value("rabbitmq_cluster_exchange_bindings", vhost="/", exchange="x", type="fanout") == 1


def test_queue_that_goes_meanwhile_is_no_trouble(node: Node) -> None:
    for number in range(300):
        node.queue(b"q%d" % number)
    reader = Reader(node)

    async def run() -> str:
        pieces = []
        page = reader.page(DETAILED, family=["queue_coarse_metrics", "queue_delivery_metrics"])
        async for piece in page.pieces:
            pieces.append(piece)
            for name in list(node.vhost.queues)[:100]:
                node.vhost.delete_queue(node.vhost.queues[name], False, False)
        return b"".join(pieces).decode()

    found = Read(asyncio.run(run()))
    assert len(found.labelled("rabbitmq_detailed_queue_messages")) == 302
    assert 0 < len(found.labelled("rabbitmq_detailed_queue_get_total")) < 302


def test_page_of_each_object_is_all_of_these(node: Node) -> None:
    node.channel().publish(b"a")
    found = Reader(node).read("/metrics/per-object")
    assert found.value("rabbitmq_queue_messages_ready", vhost="/", queue="q") == 1
    assert found.value("rabbitmq_queue_messages_published_total", vhost="/", queue="q") == 1
    assert found.value("supersoniq_queue_oldest_ready_age_seconds", vhost="/", queue="q") >= 0
    assert found.value("rabbitmq_queues") == 2
