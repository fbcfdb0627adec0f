"""Very many messages at the speed of `struct`: numbered ones of 100 octets, all frames of the same size."""

from __future__ import annotations

import struct
from collections.abc import Callable

from tests.conformance.codec import (
    FRAME_BODY,
    FRAME_HEADER,
    FRAME_METHOD,
    Basic,
    Confirm,
    Queue,
    encode_method,
)
from tests.conformance.wire import PATIENCE, Wire, WireChannel, frame, header_payload

BODY_BYTES = 100
BATCH = 1000
WINDOW = 20_000
PREFETCH = 10_000
FILL = bytes(BODY_BYTES - 8)
# A delivery to consumer `c` from queue `q`: its tag, redelivered, and the number in its body.
DELIVERY = struct.Struct(">13x Q ? 34x Q 93x")
Watch = Callable[[], None]


def publish(wire: Wire, count: int, watch: Watch) -> None:
    """Publish the numbers below `count` to the durable queue `q`; returns when all are confirmed.

    `watch` is called now and then.
    """
    channel = wire.channel()
    channel.call(Queue.declare(queue="q", durable=True))
    channel.call(Confirm.select())
    method = frame(FRAME_METHOD, channel.number, encode_method(Basic.publish(routing_key="q")))
    header = frame(FRAME_HEADER, channel.number, header_payload(BODY_BYTES, {"delivery_mode": 2}))
    body = frame(FRAME_BODY, channel.number, bytes(BODY_BYTES))
    before, after = method + header + body[:7], FILL + body[-1:]
    sent = confirmed = 0
    while confirmed < count:
        while sent < count and sent - confirmed < WINDOW:
            upto = min(sent + BATCH, count)
            wire.write(b"".join([before + struct.pack(">Q", each) + after for each in range(sent, upto)]))
            sent = upto
        confirmed = _confirmed(channel, confirmed)
        watch()


def _confirmed(channel: WireChannel, confirmed: int) -> int:
    """Read until a confirm moves the window; they come in order here, one by one or together."""
    ack = channel.next(30)
    assert ack.name == "basic.ack", ack
    assert ack.multiple or ack.delivery_tag == confirmed + 1, ack
    assert ack.delivery_tag > confirmed
    return int(ack.delivery_tag)


def consume(wire: Wire, count: int, watch: Watch) -> int:
    """Consume and ack the numbers below `count` in their order; returns how many came redelivered."""
    channel = wire.channel()
    channel.call(Basic.qos(prefetch_count=PREFETCH))
    channel.call(Basic.consume(queue="q", consumer_tag="c"))
    taken = redelivered = 0
    while taken < count:
        chunk = _read_deliveries(wire, min(BATCH, count - taken))
        assert [number for _, _, number in chunk] == list(range(taken, taken + len(chunk)))
        redelivered += sum(flag for _, flag, _ in chunk)
        taken += len(chunk)
        channel >> Basic.ack(delivery_tag=chunk[-1][0], multiple=True)
        watch()
    channel.call(Basic.cancel(consumer_tag="c"))
    return redelivered


def _read_deliveries(wire: Wire, count_max: int) -> list[tuple[int, bool, int]]:
    """What has come by now, at least one; frames for other channels may have come before the first."""
    pending = wire.pending.pop(wire.last_channel, None)
    for each in pending or ():
        wire.received[:0] = frame(*each)
    first = wire.read(DELIVERY.size, PATIENCE)
    more = min(len(wire.received) // DELIVERY.size, count_max - 1)
    return list(DELIVERY.iter_unpack(first + wire.read(more * DELIVERY.size)))
