"""Samples are taken of what has moved, in steps, and everything is counted once."""

from typing import cast

import pytest
from tests.conformance.codec import Connection
from tests.metrics.bench import ScriptSources, sample
from tests.session.script import Node

from supersoniq.broker.counters import MESSAGE_FIELDS
from supersoniq.metrics.history import History
from supersoniq.metrics.sampling import (
    MESSAGES,
    ROWS_MIN,
    ROWS_OF_OBJECT,
    Sampling,
    churn,
    node_totals,
    vhost_totals,
)

PUBLISH = MESSAGE_FIELDS.index("publish")


@pytest.fixture
def node() -> Node:
    node = Node()
    node.clock.now = 1_700_000_000_000
    node.queue()
    return node


@pytest.fixture
def sources(node: Node) -> ScriptSources:
    return ScriptSources(node)


def history_of(node: Node, name: bytes = b"q") -> History:
    return cast(History, node.vhost.queues[name].counters.history)


def test_only_what_has_moved_gets_a_history(node: Node, sources: ScriptSources) -> None:
    node.queue(b"idle")
    channel = node.channel().publish(b"a")
    sampling = Sampling(sources)
    sample(sampling, node)
    assert history_of(node).value(PUBLISH, sampling.last_ms) == 1
    assert node.vhost.queues[b"idle"].counters.history is None
    assert node.vhost.exchanges[b""].counters.history is not None
    assert node.vhost.exchanges[b"amq.topic"].counters.history is None
    assert channel.client.session.channels[1].counters.history is not None


def test_samples_stand_at_full_multiples_of_five_seconds(node: Node, sources: ScriptSources) -> None:
    sampling = Sampling(sources)
    sample(sampling, node, 7.3)
    assert sampling.last_ms == 1_700_000_005_000


def test_lengths_that_change_without_a_delivery_are_sampled(node: Node, sources: ScriptSources) -> None:
    sampling = Sampling(sources)
    node.channel().publish(b"a", b"b")
    sample(sampling, node)
    node.vhost.purge(node.vhost.queues[b"q"])
    sample(sampling, node)
    assert history_of(node).value(MESSAGES, sampling.last_ms - 5_000) == 2
    assert history_of(node).value(MESSAGES, sampling.last_ms) == 0


def test_sampling_goes_on_where_a_step_has_stopped(node: Node, sources: ScriptSources) -> None:
    names = [b"q%d" % number for number in range(30)]
    channel = node.channel()
    for name in names:
        node.queue(name)
        channel.publish(b"a", key=name.decode())
    sampling = Sampling(sources)
    sampling.begin()
    steps = 1
    while sampling.step(0.0):
        assert sampling.last_ms == 0
        steps += 1
    assert steps > 30
    assert sampling.last_ms > 0
    assert all(history_of(node, name).value(PUBLISH, sampling.last_ms) == 1 for name in names)


def test_queue_that_is_deleted_meanwhile_is_no_trouble(node: Node, sources: ScriptSources) -> None:
    node.channel().publish(b"a")
    sampling = Sampling(sources)
    sampling.begin()
    node.vhost.delete_queue(node.vhost.queues[b"q"], False, False)
    while sampling.step(0.0):
        pass
    assert vhost_totals(sources, "/").messages.publish == 1


def test_less_is_kept_where_more_is_going_on(
    node: Node, sources: ScriptSources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supersoniq.metrics.sampling.ROWS_MAX", 10)
    sampling = Sampling(sources)
    assert sampling._rows_max == ROWS_OF_OBJECT
    channel = node.channel().publish(b"a")
    sample(sampling, node)
    assert sampling._rows_max == (ROWS_MIN, ROWS_MIN)
    channel.publish(b"a")
    sample(sampling, node)
    assert sampling._rows_max == (ROWS_MIN, ROWS_MIN)


def test_node_counts_what_is_gone_with_its_virtual_host(node: Node, sources: ScriptSources) -> None:
    client = node.channel().publish(b"a", b"b").client
    client >> Connection.close(reply_code=200, reply_text="", class_id=0, method_id=0)
    node.vhost.delete_queue(node.vhost.queues[b"q"], False, False)
    before = churn(sources)
    node.context.counters.gone_vhosts.absorb(node.vhost.counters)
    node.context.vhosts.clear()
    assert node_totals(sources).messages.publish == 2
    assert churn(sources) == before
    assert churn(sources)[-1] == 1


def test_traffic_of_a_virtual_host_is_that_of_its_connections(node: Node, sources: ScriptSources) -> None:
    first, second = node.client().session, node.client().session
    first.client.traffic.received_bytes, second.client.traffic.received_bytes = 5, 70
    first.lost()
    node.clients.pop(0)
    node.stranger().session.client.traffic.received_bytes = 900
    assert vhost_totals(sources, "/").traffic.received_bytes == 75
