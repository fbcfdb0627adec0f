"""What memory is used for, as near as that comes to RabbitMQ's categories."""

from supersoniq.broker.totals import lengths_of, visible_queues
from supersoniq.management.context import ManagementContext
from supersoniq.management.views.common import Fields
from supersoniq.server.memory import resident_bytes

# A connection, a channel and a consumer, about.
CONNECTION_BYTES = 6_000
CHANNEL_BYTES = 5_000
# What RabbitMQ has beside what is found here.
OTHERS = (
    "queue_slave_procs",
    "quorum_queue_procs",
    "quorum_queue_dlx_procs",
    "stream_queue_procs",
    "stream_queue_replica_reader_procs",
    "stream_queue_coordinator_procs",
    "plugins",
    "metrics",
    "mgmt_db",
    "mnesia",
    "quorum_ets",
    "other_ets",
    "msg_index",
    "code",
    "atom",
    "other_system",
    "allocated_unused",
    "reserved_unallocated",
)


def memory_view(management: ManagementContext) -> Fields:
    """Return octets by category; `binary` is what messages occupy, `other_proc` what is left."""
    connections = list(management.connections())
    channels = sum(len(each.channels) for each in connections)
    queues = [queue for vhost in management.vhosts.values() for queue in visible_queues(vhost)]
    messages = int(lengths_of(queues).memory_bytes)
    unsent = sum(each.client.unsent_bytes for each in connections)
    buffered = management.context.buffered.body_bytes
    found = {
        "connection_readers": buffered,
        "connection_writers": unsent,
        "connection_channels": channels * CHANNEL_BYTES,
        "connection_other": len(connections) * CONNECTION_BYTES,
        "queue_procs": len(queues) * 1024,
        "binary": messages,
    }
    total = resident_bytes()
    rest = max(total - sum(found.values()), 0)
    return {
        **found,
        **dict.fromkeys(OTHERS, 0),
        "other_proc": rest,
        "strategy": "rss",
        "total": {"erlang": total, "rss": total, "allocated": total},
    }


def relative(memory: Fields) -> Fields:
    """Return the same in percent of the whole; what there is at all is at least 1."""
    parts = {name: value for name, value in memory.items() if isinstance(value, int)}
    total = sum(parts.values()) or 1
    shares = {name: max(value * 100 // total, 1 if value else 0) for name, value in parts.items()}
    return {"total": 100, **shares}
