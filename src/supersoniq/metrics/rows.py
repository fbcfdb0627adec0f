"""Rows: the values of one object, or of many together, for the tables of `families`, and labels as text."""

from supersoniq.broker.counters import MessageCounters
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.queues.stays import percentile_ms
from supersoniq.broker.totals import Lengths
from supersoniq.session.channel import Channel
from supersoniq.session.client import Client
from supersoniq.session.connection import Connection


def labels_of(**values: str) -> str:
    """Return labels as they stand in a sample: `vhost="/",queue="q"`."""
    return ",".join([f'{name}="{escaped(value)}"' for name, value in values.items()])


def escaped(value: str) -> str:
    """Return a label's value as it stands between quotes."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def queue_length_values(lengths: Lengths) -> tuple[list[int], list[int]]:
    """Return the values for `QUEUE_COARSE` and for `QUEUE`."""
    ready, unacked, paged = int(lengths.ready_count), int(lengths.unacked_count), int(lengths.paged_count)
    ready_bytes, unacked_bytes = int(lengths.ready_body_bytes), int(lengths.unacked_body_bytes)
    paged_bytes = int(lengths.paged_body_bytes)
    return [ready, unacked, ready + unacked], [
        int(lengths.consumer_count),
        int(lengths.memory_bytes),
        ready + unacked - paged,
        ready_bytes + unacked_bytes - paged_bytes,
        ready - paged,
        unacked,
        ready_bytes + unacked_bytes,
        ready_bytes,
        unacked_bytes,
        paged,
        paged_bytes,
    ]


def publish_values(counters: MessageCounters) -> list[int]:
    """Return the values for `CHANNEL_EXCHANGE`."""
    return [
        int(counters.publish),
        int(counters.confirm),
        int(counters.return_unroutable),
        int(counters.drop_unroutable),
    ]


def delivery_values(counters: MessageCounters) -> list[int]:
    """Return the values for `CHANNEL_QUEUE` and `QUEUE_DELIVERY`."""
    return [
        int(counters.get),
        int(counters.get_no_ack),
        int(counters.deliver),
        int(counters.deliver_no_ack),
        int(counters.redeliver),
        int(counters.ack),
        int(counters.get_empty),
    ]


def exchange_values(counters: MessageCounters) -> list[int]:
    """Return the values for `EXCHANGE`."""
    return [int(counters.publish_in), int(counters.publish_out)]


def channel_values(channel: Channel) -> list[int]:
    """Return the values for `CHANNEL`."""
    return [
        len(channel.consumers),
        channel.unacked_count,
        channel.unconfirmed_count,
        channel.uncommitted_count,
        channel.acks_uncommitted_count,
        channel.prefetch_count,
        channel.global_prefetch_count,
    ]


def octet_values(client: Client) -> list[int]:
    """Return the values for `CONNECTION_COARSE`."""
    return [int(client.traffic.received_bytes), int(client.traffic.sent_bytes)]


def connection_values(connection: Connection) -> list[int]:
    """Return the values for `CONNECTION`; what waits to be sent counts as one packet."""
    client = connection.client
    traffic = client.traffic
    pending = 1 if client.unsent_bytes > 0 else 0
    return [int(traffic.received_count), int(traffic.sent_count), pending, len(connection.channels)]


def age_values(queue: Queue, now_ms: int, sampled_ms: int) -> list[float]:
    """Return the values for `QUEUE_AGES`; unacked deliveries are known from samples at `sampled_ms`."""
    counts = queue.residence.recent_counts()
    return [
        ready_age(queue, now_ms),
        unacked_age(queue, now_ms, sampled_ms),
        percentile_ms(counts, 0.5) / 1000,
        percentile_ms(counts, 0.99) / 1000,
    ]


def ready_age(queue: Queue, now_ms: int) -> float:
    """Return the age of the oldest message that waits in seconds, 0 if there is none."""
    since_ms = queue.ready_since_ms
    return max(now_ms - since_ms, 0) / 1000 if since_ms > 0 else 0.0


def unacked_age(queue: Queue, now_ms: int, sampled_ms: int) -> float:
    """Return for how many seconds the oldest delivery is outstanding, 0 if there is none."""
    residence = queue.residence
    if queue.unacked_count == 0 or residence.unacked_seen_ms < max(sampled_ms, 1):
        return 0.0
    return max(now_ms - int(residence.unacked_since_ms), 0) / 1000
