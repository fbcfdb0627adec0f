"""The sampler answers in RabbitMQ's fields, with the values of now."""

import pytest
from tests.conformance.codec import Basic
from tests.metrics.bench import ScriptSources, sample
from tests.session.script import ChannelScript, Node

from supersoniq.metrics.figures import Figures
from supersoniq.metrics.ranges import Range
from supersoniq.metrics.sampler import Fields, Sampler


@pytest.fixture
def node() -> Node:
    node = Node()
    node.clock.now = 1_700_000_000_000
    node.queue()
    return node


@pytest.fixture
def sources(node: Node) -> ScriptSources:
    return ScriptSources(node)


@pytest.fixture
def sampler(sources: ScriptSources) -> Sampler:
    return Sampler(sources)


def rate(fields: Fields, name: str) -> float:
    details = fields[f"{name}_details"]
    assert isinstance(details, dict)
    found = details["rate"]
    assert isinstance(found, float)
    return found


def values(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if not name.endswith("_details")}


def take(channel: ChannelScript, count: int) -> None:
    for _ in range(count):
        channel >> Basic.get(queue="q", no_ack=True) << Basic.get_ok()


def test_values_are_of_now_and_rates_of_the_last_five_seconds(node: Node, sampler: Sampler) -> None:
    channel = node.channel().publish(*[b"a"] * 10)
    sample(sampler.sampling, node)
    channel.publish(b"b")
    take(channel, 3)
    queue = node.vhost.queues[b"q"]
    stats = sampler.queue_stats(queue)
    assert values(stats) == {
        "publish": 11,
        "deliver": 0,
        "deliver_no_ack": 0,
        "get": 0,
        "get_no_ack": 3,
        "get_empty": 0,
        "ack": 0,
        "redeliver": 0,
        "deliver_get": 3,
    }
    assert (rate(stats, "publish"), rate(stats, "deliver_get")) == (2.0, 0.0)
    sample(sampler.sampling, node)
    stats = sampler.queue_stats(queue)
    assert (rate(stats, "publish"), rate(stats, "deliver_get")) == (0.2, 0.6)
    sample(sampler.sampling, node)
    assert rate(sampler.queue_stats(queue), "deliver_get") == 0.0


def test_nothing_counted_is_nothing_said(node: Node, sampler: Sampler) -> None:
    channel = node.channel()
    assert sampler.queue_stats(node.vhost.queues[b"q"]) == {}
    assert sampler.stats(node.vhost.exchanges[b""].counters) == {}
    assert sampler.stats(channel.client.session.channels[1].counters) == {}


def test_channel_and_exchange_have_their_own_fields(node: Node, sampler: Sampler) -> None:
    channel = node.channel().publish(b"a").publish(b"b", key="nowhere")
    found = values(sampler.stats(channel.client.session.channels[1].counters))
    assert found == {"publish": 2, "confirm": 0, "return_unroutable": 0, "drop_unroutable": 1}
    assert values(sampler.stats(node.vhost.exchanges[b""].counters)) == {"publish_in": 2, "publish_out": 1}


def test_lengths(node: Node, sampler: Sampler) -> None:
    channel = node.channel().publish(*[b"a"] * 10)
    channel >> Basic.get(queue="q") << Basic.get_ok()
    queue = node.vhost.queues[b"q"]
    found = values(sampler.queue_lengths(queue))
    assert found == {"messages": 10, "messages_ready": 9, "messages_unacknowledged": 1}
    assert values(sampler.queue_totals()) == found
    sample(sampler.sampling, node)
    take(channel, 5)
    sample(sampler.sampling, node)
    assert rate(sampler.queue_lengths(queue), "messages_ready") == -1.0
    assert rate(sampler.queue_totals(), "messages") == -1.0


def test_samples_on_request(node: Node, sampler: Sampler) -> None:
    channel = node.channel()
    for _ in range(3):
        channel.publish(b"a")
        sample(sampler.sampling, node)
    expected = [3, 2, 1, 0]
    wanted = Range(15, 5)
    for fields in (
        sampler.queue_stats(node.vhost.queues[b"q"], wanted),
        sampler.message_stats(wanted),
        sampler.stats(channel.client.session.channels[1].counters, wanted),
    ):
        details = fields["publish_details"]
        assert isinstance(details, dict)
        assert [each["sample"] for each in details["samples"]] == expected
        assert details["samples"][0]["timestamp"] == sampler.sampling.last_ms


def test_virtual_host(node: Node, sampler: Sampler) -> None:
    channel = node.channel().publish(b"a")
    channel.client.session.client.traffic.sent_bytes = 50
    sample(sampler.sampling, node)
    found = sampler.vhost(node.vhost, None, None, None)
    stats = found.pop("message_stats")
    assert isinstance(stats, dict)
    assert stats["publish"] == 1
    assert rate(stats, "publish") == 0.2
    assert values(found) == {
        "recv_oct": 0,
        "send_oct": 50,
        "messages": 1,
        "messages_ready": 1,
        "messages_unacknowledged": 0,
    }
    assert rate(found, "send_oct") == 10.0


def test_ages_of_a_queue(node: Node, sampler: Sampler) -> None:
    queue = node.vhost.queues[b"q"]
    nothing = {"oldest_ready_age": None, "oldest_unacked_age": None}
    no_stays = {"p50": 0.0, "p99": 0.0, "samples": 0}
    assert sampler.queue_ages(queue) == {**nothing, "time_in_queue": no_stays}
    channel = node.channel().publish(b"a", b"b")
    node.pass_time(3_000)
    channel >> Basic.get(queue="q") << Basic.get_ok()
    sample(sampler.sampling, node, 2)
    found = sampler.queue_ages(queue)
    assert (found["oldest_ready_age"], found["oldest_unacked_age"]) == (5.0, 2.0)
    assert found["time_in_queue"] == {"p50": 3.0, "p99": 4.96, "samples": 1}
    channel >> Basic.ack(delivery_tag=1)
    assert sampler.queue_ages(queue)["oldest_unacked_age"] is None


def test_oldest_unacked_delivery_may_be_of_any_channel(node: Node, sampler: Sampler) -> None:
    node.queue(b"p")
    publisher = node.channel().publish(b"a", b"b").publish(b"c", key="p")
    first, second = node.channel(), node.channel()
    for channel, queue in ((first, "q"), (second, "p"), (second, "q")):
        channel >> Basic.get(queue=queue) << Basic.get_ok()
        node.pass_time(1_000)
        node.turn.marks.renew()
    sample(sampler.sampling, node, 0)
    ages = [sampler.queue_ages(node.vhost.queues[name])["oldest_unacked_age"] for name in (b"q", b"p")]
    assert ages == [3.0, 2.0]
    first >> Basic.ack(delivery_tag=1)
    sample(sampler.sampling, node)
    assert sampler.queue_ages(node.vhost.queues[b"q"])["oldest_unacked_age"] == 6.0
    assert publisher.client.session.channels[1].outstanding_since() == []


def test_traffic_of_a_connection(node: Node, sampler: Sampler) -> None:
    session = node.client().session
    traffic = session.client.traffic
    traffic.received_bytes, traffic.received_count, traffic.sent_bytes, traffic.sent_count = 100, 2, 500, 3
    sample(sampler.sampling, node)
    found = sampler.traffic(session.client)
    assert values(found) == {"recv_oct": 100, "recv_cnt": 2, "send_oct": 500, "send_cnt": 3, "send_pend": 0}
    assert (rate(found, "recv_oct"), rate(found, "send_oct")) == (20.0, 100.0)


def test_churn(node: Node, sampler: Sampler) -> None:
    node.channel()
    sample(sampler.sampling, node)
    found = sampler.churn_rates()
    assert values(found) == {
        "connection_created": 1,
        "connection_closed": 0,
        "channel_created": 1,
        "channel_closed": 0,
        "queue_declared": 1,
        "queue_created": 1,
        "queue_deleted": 0,
    }
    assert rate(found, "channel_created") == 0.2


def test_figures_of_the_node(node: Node, sources: ScriptSources, sampler: Sampler) -> None:
    sources.node_figures = Figures(mem_used=1_000, fd_used=7)
    sample(sampler.sampling, node)
    sources.node_figures = Figures(mem_used=1_500, fd_used=7)
    sample(sampler.sampling, node)
    found = sampler.node_stats()
    assert (found["mem_used"], found["fd_used"]) == (1_500, 7)
    assert (rate(found, "mem_used"), rate(found, "fd_used")) == (100.0, 0.0)


def test_queue_is_idle_since_it_was_last_seen_to_move(node: Node, sampler: Sampler) -> None:
    queue = node.vhost.queues[b"q"]

    def idle_since_ms() -> int:
        return sampler.idle_since_ms(queue.counters, queue.ready_count, int(queue.unacked_count))

    sample(sampler.sampling, node)
    assert idle_since_ms() == 0  # nothing has ever happened
    channel = node.channel().publish(b"a")
    assert idle_since_ms() == 0
    sample(sampler.sampling, node)
    moved_ms = sampler.sampling.last_ms
    assert idle_since_ms() == 0
    sample(sampler.sampling, node)
    sample(sampler.sampling, node)
    assert idle_since_ms() == moved_ms
    take(channel, 1)
    assert idle_since_ms() == 0
