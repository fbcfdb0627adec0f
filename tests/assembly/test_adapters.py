"""What parts see of each other is what there is."""

from tests.fakes import message
from tests.session.script import Node

from supersoniq.assembly.adapters import ClockedFacts, NodeMemory
from supersoniq.assembly.identity import node_name
from supersoniq.server.clock import LoopClock


def test_facts_have_the_name_and_the_time() -> None:
    facts = ClockedFacts(LoopClock(), None)
    assert facts.name == node_name()
    assert facts.started_at_ms <= facts.now_ms() < facts.started_at_ms + 60_000


def test_memory_counts_what_is_in_queues_and_on_its_way_to_them() -> None:
    node = Node()
    node.queue()
    memory = NodeMemory({"/": node.vhost}, node.context.buffered, None)
    before = memory.message_bytes()
    node.vhost.publish(message(bytes(1_000)), list(node.vhost.queues.values()))
    node.context.buffered.body_bytes += 500
    assert memory.message_bytes() - before >= 1_500
    assert memory.used_bytes() > 1_000_000
    memory.release()
