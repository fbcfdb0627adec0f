"""Deliveries are the same octets whether they were written piece by piece or with what is made for many."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.codec import Basic
from tests.definitions import thorough
from tests.session.script import ChannelScript, Node, octets_of

from supersoniq.broker.message import Message
from supersoniq.session.delivery_form import DeliveryForm
from supersoniq.session.output import LARGE_BODY_BYTES

ADDRESS = b"\x00\x01q"
HEADER = b"\x00\x3c\x00\x00" + (4).to_bytes(8) + b"\x00\x00"


@pytest.mark.parametrize("channel", [1, 0x1234, 65535])
def test_lead_and_rest_are_what_stands_around_tag_and_body(channel: int) -> None:
    form = DeliveryForm(channel, b"ctag")
    form.make(Message(ADDRESS, HEADER, b"body", False))
    number = channel.to_bytes(2)
    assert form.lead == b"\x01" + number + (21).to_bytes(4) + b"\x00\x3c\x00\x3c" + b"\x04ctag"
    header_frame = b"\x02" + number + (14).to_bytes(4) + HEADER + b"\xce"
    assert form.rest == ADDRESS + b"\xce" + header_frame + b"\x03" + number + (4).to_bytes(4)
    assert form.is_made


def test_another_message_ends_what_was_made() -> None:
    form = DeliveryForm(1, b"ctag")
    message = Message(ADDRESS, HEADER, b"body", False)
    form.make(message)
    form.follow(message)
    assert not form.is_made
    assert form.address is ADDRESS
    assert form.header is HEADER


sizes = st.sampled_from([0, 1, 2, 4088, 4089, LARGE_BODY_BYTES - 1, LARGE_BODY_BYTES])
drawn_messages = st.lists(
    st.tuples(st.sampled_from(["", "amq.fanout"]), sizes, st.sampled_from([None, {"type": "t"}])), max_size=8
)


@thorough
@given(drawn_messages, st.sampled_from([4096, 131_072]), st.booleans())
def test_each_delivery_is_as_it_was_published(
    messages: list[tuple[str, int, dict[str, str] | None]], frame_max: int, no_ack: bool
) -> None:
    node = Node()
    node.vhost.bind(b"amq.fanout", node.queue(), b"", {})
    publisher = node.channel()
    consumers = [node.client(frame_max=frame_max).channel().consume(no_ack=no_ack, tag=tag) for tag in "ab"]
    for number, (exchange, size, properties) in enumerate(messages):
        publish = Basic.publish(
            exchange=exchange, routing_key="q", body=bytes([number]) * size, properties=properties
        )
        publisher >> octets_of(1, publish) * 3
    delivered = [deliveries(consumer) for consumer in consumers]
    for number, (exchange, size, properties) in enumerate(messages):
        expected = (exchange, bytes([number]) * size, properties or {})
        for _ in range(3):
            turn = 0 if delivered[0] and delivered[0][0] == expected else 1
            assert delivered[turn].pop(0) == expected
    assert delivered == [[], []]


def deliveries(consumer: ChannelScript) -> list[tuple[object, bytes | None, object]]:
    """What came, its tags in order."""
    found: list[tuple[object, bytes | None, object]] = []
    while not consumer.client.is_quiet():
        delivery = consumer << Basic.deliver(delivery_tag=len(found) + 1, redelivered=False, routing_key="q")
        found.append((delivery.exchange, delivery.body, delivery.properties))
    return found
