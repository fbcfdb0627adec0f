"""Queues and their fields."""

from supersoniq.amqp.primitives import text
from supersoniq.amqp.properties import read_properties
from supersoniq.broker.queues.queue import NOBODY, Queue
from supersoniq.broker.vhost import VHost
from supersoniq.management.context import ManagementContext
from supersoniq.management.listing import Columns
from supersoniq.management.views.common import PROCESS, Fields, arguments_view, connection_details, idle_view
from supersoniq.management.views.consumers import consumer_view
from supersoniq.metrics.ranges import Ranges
from supersoniq.session.client import Client

Item = tuple[VHost, Queue]

# Fields by which can be sorted without rendering a queue.
KEYS = {
    "name": lambda item: text(item[1].name),
    "vhost": lambda item: item[0].name,
    "messages": lambda item: item[1].ready_count + int(item[1].unacked_count),
    "messages_ready": lambda item: item[1].ready_count,
    "messages_unacknowledged": lambda item: int(item[1].unacked_count),
    "consumers": lambda item: len(item[1].consumers),
    "memory": lambda item: item[1].memory_bytes,
    "message_bytes": lambda item: item[1].ready_body_bytes + int(item[1].unacked_body_bytes),
    "durable": lambda item: item[1].durable,
    "type": lambda item: text(item[1].options.queue_type),
    "policy": lambda item: _policy_name(item[1]),
    "message_stats.publish": lambda item: int(item[1].counters.publish),
    "message_stats.deliver_get": lambda item: item[1].counters.deliver_get,
}


def queue_name(item: Item) -> str:
    """Return what filters look at."""
    return text(item[1].name)


class QueueViews:
    """Renders queues for one request, which wants samples of `ranges`."""

    def __init__(
        self,
        management: ManagementContext,
        ranges: Ranges,
        disable_stats: bool = False,
        enable_queue_totals: bool = False,
    ) -> None:
        self._management = management
        self._sampler = management.sampler
        self._node = management.facts.name
        self._ranges = ranges
        self._disable_stats = disable_stats
        self._enable_queue_totals = enable_queue_totals
        self._clients: dict[int, Client] | None = None

    def render(self, item: Item, columns: Columns) -> Fields:
        """Return a queue as a list has it."""
        vhost, queue = item
        if self._disable_stats:
            fields = self._basic(vhost, queue)
            if self._enable_queue_totals:
                fields |= _totals(queue)
            return fields
        if columns is not None and columns <= BASIC:
            return self._basic(vhost, queue)
        return self._full(vhost, queue)

    def detailed(self, vhost: VHost, queue: Queue) -> Fields:
        """Return a queue as it is shown alone."""
        return {
            **self.render((vhost, queue), None),
            "consumer_details": [
                consumer_view(self._node, vhost.name, queue, consumer)
                for consumer in queue.consumers.everyone()
            ],
            "deliveries": [],
            "incoming": [],
        }

    def _basic(self, vhost: VHost, queue: Queue) -> Fields:
        return {
            "arguments": arguments_view(queue.options.arguments),
            "auto_delete": queue.auto_delete,
            "durable": queue.durable,
            "exclusive": queue.owner != NOBODY,
            "name": text(queue.name),
            "node": self._node,
            "policy": _policy_name(queue),
            "state": "running",
            "type": text(queue.options.queue_type),
            "vhost": vhost.name,
        }

    def _full(self, vhost: VHost, queue: Queue) -> Fields:
        operator_policy = queue.operator_policy
        fields: Fields = {
            **self._basic(vhost, queue),
            **PROCESS,
            **self._sampler.queue_lengths(queue, self._ranges.lengths),
            **_sizes(queue),
            **self._ages(queue),
            "consumers": len(queue.consumers),
            "consumer_capacity": _capacity(queue),
            "consumer_utilisation": _capacity(queue),
            "effective_policy_definition": queue.effective_definition(),
            "operator_policy": None if operator_policy is None else operator_policy.name,
        }
        stats = self._sampler.queue_stats(queue, self._ranges.msg_rates)
        if stats:
            fields["message_stats"] = stats
        lengths = (queue.ready_count, int(queue.unacked_count))
        fields |= idle_view(self._sampler.idle_since_ms(queue.counters, *lengths))
        if queue.options.queue_type == b"quorum":
            fields |= self._of_quorum(queue)
        else:
            fields |= _of_classic(queue)
        if queue.owner != NOBODY:
            client = self._owner(queue.owner)
            if client is not None:
                fields["owner_pid_details"] = connection_details(client)
        return fields

    def _ages(self, queue: Queue) -> Fields:
        """How old the oldest message is, which only this broker knows; None without one."""
        now_ms, ready_ms = self._management.facts.now_ms(), queue.ready_since_ms
        return {"oldest_ready_age_ms": now_ms - ready_ms if ready_ms > 0 else None}

    def _of_quorum(self, queue: Queue) -> Fields:
        return {
            "leader": self._node,
            "members": [self._node],
            "online": [self._node],
            "open_files": {self._node: 0},
            "messages_dlx": int(queue.dead_letter_count),
            "message_bytes_dlx": int(queue.dead_letter_body_bytes),
            "single_active_consumer_ctag": _active_tag(queue),
        }

    def _owner(self, connection: int) -> Client | None:
        if self._clients is None:
            self._clients = {each.id: each.client for each in self._management.connections()}
        return self._clients.get(connection)


BASIC = frozenset(
    (
        "arguments",
        "auto_delete",
        "durable",
        "exclusive",
        "name",
        "node",
        "policy",
        "state",
        "type",
        "vhost",
    )
)


def _policy_name(queue: Queue) -> str | None:
    return None if queue.policy is None else queue.policy.name


def _totals(queue: Queue) -> Fields:
    ready, unacked = queue.ready_count, int(queue.unacked_count)
    return {"messages": ready + unacked, "messages_ready": ready, "messages_unacknowledged": unacked}


def _sizes(queue: Queue) -> Fields:
    """How much is in a queue, in memory and out of it; of a durable one all counts as persistent."""
    ready, unacked = queue.ready_count, int(queue.unacked_count)
    paged, paged_bytes = queue.paged_count, queue.paged_body_bytes
    ready_bytes, unacked_bytes = queue.ready_body_bytes, int(queue.unacked_body_bytes)
    return {
        "memory": queue.memory_bytes,
        "message_bytes": ready_bytes + unacked_bytes,
        "message_bytes_paged_out": paged_bytes,
        "message_bytes_persistent": ready_bytes + unacked_bytes if queue.durable else 0,
        "message_bytes_ram": ready_bytes - paged_bytes + unacked_bytes,
        "message_bytes_ready": ready_bytes,
        "message_bytes_unacknowledged": unacked_bytes,
        "messages_paged_out": paged,
        "messages_persistent": ready + unacked if queue.durable else 0,
        "messages_ram": ready - paged + unacked,
        "messages_ready_ram": ready - paged,
        "messages_unacknowledged_ram": unacked,
    }


def _of_classic(queue: Queue) -> Fields:
    exclusive = [text(each.tag) for each in queue.consumers.everyone() if each.exclusive]
    return {
        "head_message_timestamp": _head_timestamp(queue),
        "exclusive_consumer_tag": exclusive[0] if exclusive else None,
        "recoverable_slaves": None,
        "single_active_consumer_tag": _active_tag(queue),
        "backing_queue_status": {
            "len": queue.ready_count,
            "mode": "default",
            "version": 1,
            "next_seq_id": int(queue.kept.next_position) - 1,
        },
    }


def _head_timestamp(queue: Queue) -> int | None:
    """The timestamp that the publisher of the first ready message has given it."""
    for entry in queue.browse(0, 1):
        return read_properties(entry.message.header).timestamp
    return None


def _active_tag(queue: Queue) -> str | None:
    active = queue.consumers.active()
    return None if active is None else text(active.tag)


def _capacity(queue: Queue) -> float:
    """The part of consumers that take messages now, as near as that comes to RabbitMQ's measure."""
    count = len(queue.consumers)
    if count == 0:
        return 0
    return sum(not each.parked for each in queue.consumers.everyone()) / count
