"""The census counts everything once, also what goes while it walks."""

import asyncio

import pytest
from tests.conformance.codec import Basic, Channel, Connection
from tests.metrics.bench import ScriptSources, sample
from tests.session.script import Node

from supersoniq.amqp.tables import table_of
from supersoniq.metrics.census import Census, census_of
from supersoniq.metrics.families import CHANNEL
from supersoniq.metrics.sampling import Sampling
from supersoniq.server.slices import Slices

CLOSE = Connection.close(reply_code=200, reply_text="", class_id=0, method_id=0)


@pytest.fixture
def node() -> Node:
    node = Node()
    node.queue()
    return node


def counted(node: Node, sampled_ms: int = 0) -> Census:
    return asyncio.run(census_of(ScriptSources(node), sampled_ms, Slices()))


def test_what_is_there_and_what_is_gone(node: Node) -> None:
    node.queue(b"p")
    channel = node.channel().publish(b"a", b"b").publish(b"c", key="p").consume()
    node.channel().publish(b"d", key="nowhere").client >> CLOSE
    node.clients.pop()
    node.vhost.delete_queue(node.vhost.queues[b"p"], False, False)
    census = counted(node)
    assert (census.channels.publish, census.channels.drop_unroutable, census.channels.deliver) == (4, 1, 2)
    assert (census.by_type[b"classic"].publish, census.by_type[b"classic"].deliver) == (3, 2)
    assert (census.exchanges.publish_in, census.exchanges.publish_out) == (4, 3)
    assert (census.lengths.queue_count, census.lengths.unacked_count) == (1, 2)
    assert (census.connection_count, census.channel_count, census.publisher_count) == (1, 1, 1)
    values = {family.name: value for family, value in zip(CHANNEL, census.channel_values, strict=True)}
    assert (values["channel_consumers"], values["channel_messages_unacked"]) == (1, 2)
    channel >> Basic.ack(delivery_tag=0, multiple=True)
    assert counted(node).by_type[b"classic"].ack == 2


def test_connection_that_has_not_opened_a_virtual_host_does_not_count(node: Node) -> None:
    node.stranger()
    assert counted(node).connection_count == 0


def test_queue_that_is_deleted_meanwhile_is_counted_once(node: Node) -> None:
    for number in range(100):
        name = b"q%d" % number
        node.queue(name)
        node.channel().publish(b"a", key=name.decode())

    async def run() -> int:
        walk = asyncio.get_running_loop().create_task(census_of(ScriptSources(node), 0, Slices(seconds=0.0)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for number in range(100):
            node.vhost.delete_queue(node.vhost.queues[b"q%d" % number], False, False)
        return int((await walk).by_type[b"classic"].publish)

    assert asyncio.run(run()) == 100
    assert counted(node).by_type[b"classic"].publish == 100


def test_oldest_of_all_queues(node: Node) -> None:
    node.queue(b"p")
    channel = node.channel().publish(b"a")
    node.pass_time(3_000)
    channel.publish(b"b", key="p")
    channel >> Basic.get(queue="p") << Basic.get_ok()
    sources = ScriptSources(node)
    sampling = Sampling(sources)
    sample(sampling, node, 2)
    census = counted(node, sampling.last_ms)
    assert (census.oldest_ready_age, census.oldest_unacked_age) == (5.0, 2.0)


def test_dead_letters_by_type_strategy_and_reason(node: Node) -> None:
    node.vhost.declare_queue(b"lost", False, False, False, table_of({"x-max-length": 1}), 0)
    dead = table_of({"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "q"})
    node.vhost.declare_queue(b"dead", False, False, False, dead, 0)
    channel = node.channel().publish(b"a", b"b", b"c", key="lost").publish(b"d", key="dead")
    channel >> Basic.get(queue="dead") << Basic.get_ok()
    channel >> Basic.reject(delivery_tag=1)
    channel >> Channel.close(reply_code=200, reply_text="", class_id=0, method_id=0)
    assert counted(node).dead_letters == {
        (b"classic", b"disabled", b"maxlen"): 2,
        (b"classic", b"at_most_once", b"rejected"): 1,
    }
