"""The header `x-delivery-count`: how often a message was delivered in vain (rabbitmq: quorum-queues)."""

from supersoniq.amqp.properties import headers_property, with_headers
from supersoniq.amqp.tables import field
from supersoniq.broker.message import Entry, Message
from supersoniq.broker.queues.rules import Rules


def shown(rules: Rules, entry: Entry) -> Message:
    """Return the message as a consumer sees it: in some queues it says how often that came back."""
    message = entry.message
    if entry.delivery_count == 0 or not rules.counts_deliveries:
        return message
    headers = headers_property(message.header)
    headers[b"x-delivery-count"] = field(int(entry.delivery_count))
    return Message(message.address, with_headers(message.header, headers), message.body, message.persistent)
