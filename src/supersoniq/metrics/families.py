"""The metrics of queues, channels, connections and exchanges: RabbitMQ's names, types and help texts.

Each table has the families of one group of RabbitMQ's page `/metrics/detailed`, in the order in which the
values of one object stand in a row. A name is without the prefix, and that of a counter without `_total`.
"""

from typing import Final, NamedTuple

GAUGE: Final = "gauge"
COUNTER: Final = "counter"


class Family(NamedTuple):
    """One metric: `name` as in `rabbitmq_{name}`, or with the prefix `supersoniq` for our own."""

    name: str
    kind: str
    text: str
    prefix: str = "rabbitmq"


OWN: Final = "supersoniq"

QUEUE_COARSE: Final = (
    Family("queue_messages_ready", GAUGE, "Messages ready to be delivered to consumers"),
    Family("queue_messages_unacked", GAUGE, "Messages delivered to consumers but not yet acknowledged"),
    Family("queue_messages", GAUGE, "Sum of ready and unacknowledged messages - total queue depth"),
)
QUEUE_CONSUMER_COUNT: Final = (Family("queue_consumers", GAUGE, "Consumers on a queue"),)
QUEUE: Final = (
    Family("queue_consumers", GAUGE, "Consumers on a queue"),
    Family("queue_process_memory_bytes", GAUGE, "Memory in bytes used by the messages of a queue"),
    Family("queue_messages_ram", GAUGE, "Ready and unacknowledged messages stored in memory"),
    Family("queue_messages_ram_bytes", GAUGE, "Size of ready and unacknowledged messages stored in memory"),
    Family("queue_messages_ready_ram", GAUGE, "Ready messages stored in memory"),
    Family("queue_messages_unacked_ram", GAUGE, "Unacknowledged messages stored in memory"),
    Family("queue_messages_bytes", GAUGE, "Size in bytes of ready and unacknowledged messages"),
    Family("queue_messages_ready_bytes", GAUGE, "Size in bytes of ready messages"),
    Family("queue_messages_unacked_bytes", GAUGE, "Size in bytes of all unacknowledged messages"),
    Family("queue_messages_paged_out", GAUGE, "Messages paged out to disk"),
    Family("queue_messages_paged_out_bytes", GAUGE, "Size in bytes of messages paged out to disk"),
)
QUEUE_PUBLISHED: Final = (
    Family("queue_messages_published", COUNTER, "Total number of messages published to queues"),
)
QUEUE_DELIVERY: Final = (
    Family(
        "queue_get_ack",
        COUNTER,
        "Total number of messages fetched from a queue with basic.get in manual acknowledgement mode",
    ),
    Family(
        "queue_get",
        COUNTER,
        "Total number of messages fetched from a queue with basic.get in automatic acknowledgement mode",
    ),
    Family(
        "queue_messages_delivered_ack",
        COUNTER,
        "Total number of messages delivered from a queue to consumers in manual acknowledgement mode",
    ),
    Family(
        "queue_messages_delivered",
        COUNTER,
        "Total number of messages delivered from a queue to consumers in automatic acknowledgement mode",
    ),
    Family(
        "queue_messages_redelivered",
        COUNTER,
        "Total number of messages redelivered from a queue to consumers",
    ),
    Family(
        "queue_messages_acked",
        COUNTER,
        "Total number of messages acknowledged by consumers on a queue",
    ),
    Family(
        "queue_get_empty",
        COUNTER,
        "Total number of times basic.get operations fetched no message on a queue",
    ),
)
QUEUE_AGES: Final = (
    Family("queue_oldest_ready_age_seconds", GAUGE, "Age of the oldest message that waits", OWN),
    Family("queue_oldest_unacked_age_seconds", GAUGE, "Time since the oldest unacked delivery", OWN),
    Family("queue_time_p50_seconds", GAUGE, "Median of the time in the queue in the last minutes", OWN),
    Family("queue_time_p99_seconds", GAUGE, "99th percentile of the time in the queue", OWN),
)

CHANNEL: Final = (
    Family("channel_consumers", GAUGE, "Consumers on a channel"),
    Family("channel_messages_unacked", GAUGE, "Delivered but not yet acknowledged messages"),
    Family("channel_messages_unconfirmed", GAUGE, "Published but not yet confirmed messages"),
    Family("channel_messages_uncommitted", GAUGE, "Messages received in a transaction but not yet committed"),
    Family("channel_acks_uncommitted", GAUGE, "Message acknowledgements in a transaction not yet committed"),
    Family("consumer_prefetch", GAUGE, "Limit of unacknowledged messages for each consumer"),
    Family(
        "channel_prefetch", GAUGE, "Total limit of unacknowledged messages for all consumers on a channel"
    ),
)
CHANNEL_EXCHANGE: Final = (
    Family(
        "channel_messages_published",
        COUNTER,
        "Total number of messages published into an exchange on a channel",
    ),
    Family(
        "channel_messages_confirmed",
        COUNTER,
        "Total number of messages published into an exchange and confirmed on the channel",
    ),
    Family(
        "channel_messages_unroutable_returned",
        COUNTER,
        "Total number of messages published as mandatory into an exchange "
        "and returned to the publisher as unroutable",
    ),
    Family(
        "channel_messages_unroutable_dropped",
        COUNTER,
        "Total number of messages published as non-mandatory into an exchange and dropped as unroutable",
    ),
)
CHANNEL_QUEUE: Final = (
    Family(
        "channel_get_ack",
        COUNTER,
        "Total number of messages fetched with basic.get in manual acknowledgement mode",
    ),
    Family(
        "channel_get",
        COUNTER,
        "Total number of messages fetched with basic.get in automatic acknowledgement mode",
    ),
    Family(
        "channel_messages_delivered_ack",
        COUNTER,
        "Total number of messages delivered to consumers in manual acknowledgement mode",
    ),
    Family(
        "channel_messages_delivered",
        COUNTER,
        "Total number of messages delivered to consumers in automatic acknowledgement mode",
    ),
    Family("channel_messages_redelivered", COUNTER, "Total number of messages redelivered to consumers"),
    Family("channel_messages_acked", COUNTER, "Total number of messages acknowledged by consumers"),
    Family(
        "channel_get_empty",
        COUNTER,
        "Total number of times basic.get operations fetched no message",
    ),
)

CONNECTION_COARSE: Final = (
    Family("connection_incoming_bytes", COUNTER, "Total number of bytes received on a connection"),
    Family("connection_outgoing_bytes", COUNTER, "Total number of bytes sent on a connection"),
)
CONNECTION: Final = (
    Family("connection_incoming_packets", COUNTER, "Total number of packets received on a connection"),
    Family("connection_outgoing_packets", COUNTER, "Total number of packets sent on a connection"),
    Family("connection_pending_packets", GAUGE, "Number of packets waiting to be sent on a connection"),
    Family("connection_channels", GAUGE, "Channels on a connection"),
)

EXCHANGE: Final = (
    Family("exchange_messages_published", COUNTER, "Total number of messages published into an exchange"),
    Family(
        "exchange_messages_routed", COUNTER, "Total number of messages routed to queues by an exchange", OWN
    ),
)
EXCHANGE_NAME: Final = (Family("exchange_name", GAUGE, "Enumerates exchanges without any additional info"),)
EXCHANGE_BINDINGS: Final = (Family("exchange_bindings", GAUGE, "Number of bindings for an exchange"),)
VHOST_STATUS: Final = (Family("vhost_status", GAUGE, "Whether a given vhost is running"),)
