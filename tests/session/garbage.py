"""What hostile and broken clients send, drawn from a seed; and the rules that answers keep even then."""

from __future__ import annotations

import itertools
import struct
from random import Random
from typing import Any

from tests.conformance import codec
from tests.conformance.codec import (
    FIELDS,
    IDS,
    PROTOCOL_HEADER,
    Basic,
    Confirm,
    Connection,
    Exchange,
    Method,
    Queue,
    Tx,
)
from tests.session.script import Client, Frame, Node, frame, header_payload, method_frame

from supersoniq.broker.definitions import Definition

CONNECTION_CODES = {402, 403, 501, 502, 503, 504, 505, 506, 530, 540}
CHANNEL_CODES = {311, 313, 403, 404, 405, 406}

NAMES = [
    *["", "q1", "q2", "q3", "e1", "e2", "amq.direct", "amq.fanout", "amq.topic", "amq.headers", "amq.match"],
    *[
        "a.b",
        "#",
        "*.b",
        "amq.rabbitmq.trace",
        "amq.rabbitmq.reply-to",
        "amq.rabbitmq.reply-to.x",
        "amq.gen-x",
    ],
    *["direct", "fanout", "topic", "headers", "x", "q1\r\n", "é", "n" * 255],
]
ARGUMENTS = [
    *[
        "x-max-length",
        "x-message-ttl",
        "x-expires",
        "x-overflow",
        "x-queue-type",
        "x-max-priority",
        "x-priority",
    ],
    *[
        "x-dead-letter-exchange",
        "x-dead-letter-routing-key",
        "x-single-active-consumer",
        "alternate-exchange",
    ],
    *["x-match", "CC", "BCC", "x-queue-mode", "x-queue-version", "a", "x-stream-offset"],
]
TEXTS = ["classic", "quorum", "drop-head", "all", "any-with-x", "e1", "q1", "lazy", ""]
CHANNELS = [1, 2, 65535]
# Server methods and those of the handshake are sent, too, but less often.
CLIENT_METHODS = [
    name
    for name in IDS
    if not name.endswith(("_ok", "_empty")) and not name.startswith("connection") and name != "basic.deliver"
]
WITH_ACK = [
    *CLIENT_METHODS,
    *["basic.ack", "basic.nack", "basic.reject", "queue.declare", "basic.consume"] * 3,
]


class Attacker:
    """Draws frames from a seed."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.tags: dict[int, list[int]] = {channel: [] for channel in [0, 9, *CHANNELS]}
        self.mode = random.choice([Confirm, Tx])
        self.politeness = random.choice([0.5, 0.95, 0.99, 1.0, 1.0])

    def octets(self, size_max: int) -> bytes:
        return self.random.randbytes(self.random.randint(0, size_max))

    def number(self, bits: int) -> int:
        edges = [0, 1, 2, 3, 2 ** (bits - 1) - 1, 2 ** (bits - 1), 2**bits - 1]
        return self.random.choice(edges) if self.random.random() < 0.9 else self.random.getrandbits(bits)

    def name(self) -> str | bytes:
        return self.random.choice(NAMES) if self.random.random() < 0.95 else self.octets(255)

    def value(self, depth: int = 0) -> Any:
        kind = self.random.randint(0, 8 if depth < 3 else 6)
        if kind == 7:
            return [self.value(depth + 1) for _ in range(self.random.randint(0, 3))]
        if kind == 8:
            return self.table(depth + 1)
        signed = self.number(64) - 2**63
        choices = [None, True, signed, self.number(8), 2.5, self.octets(9), self.random.choice(TEXTS)]
        return choices[kind]

    def table(self, depth: int = 0) -> dict[str, Any]:
        count = self.random.choice([0, 0, 0, 1, 1, 2, 5])
        return {self.random.choice(ARGUMENTS): self.value(depth) for _ in range(count)}

    def fields(self, name: str) -> dict[str, Any]:
        draw = {
            "o": lambda: self.number(8),
            "h": lambda: self.number(16),
            "i": lambda: self.number(32),
            "q": lambda: self.number(64),
            "s": self.name,
            "S": lambda: self.octets(40),
            "b": lambda: self.random.random() < 0.3,
            "F": lambda: self.table() if self.random.random() < 0.95 else codec.longstr(self.octets(20)),
        }
        return {field: draw[kind]() for field, kind in FIELDS[name]}

    def method(self, name: str | None = None) -> Method:
        """A method with random arguments that can be decoded, most of the time."""
        if name is None:
            name = self.random.choice(WITH_ACK if self.random.random() < 0.97 else list(IDS))
        fields = self.fields(name)
        if name == "basic.qos" and self.random.random() < 0.9:
            fields["prefetch_size"] = 0
        if name in ("basic.recover", "basic.recover_async"):
            fields["requeue"] = self.random.random() < 0.95
        if name == "basic.publish":
            fields["immediate"] = self.random.random() < 0.01
        return Method(name, fields)

    def properties(self) -> Any:
        if self.random.random() < 0.05:
            return self.random.getrandbits(16).to_bytes(2) + self.octets(20)
        drawn = {
            "headers": self.table(),
            "delivery_mode": self.random.choice([1, 2, 7]),
            "reply_to": self.name(),
            "expiration": self.random.choice(["0", "1000", "x", "-1"]),
            "user_id": self.random.choice(["guest", "ann"]),
            "timestamp": self.number(64),
        }
        given = {name: value for name, value in drawn.items() if self.random.random() < 0.2}
        return {"delivery_mode": 2, **given} if self.random.random() < 0.3 else given

    def polite(self, channel: int) -> Method:
        """A method that mostly succeeds, so that there is something to break."""
        random = self.random
        queue, exchange = (
            random.choice(["q1", "q2", "q3"]),
            random.choice(["e1", "e2", "amq.topic", "amq.headers"]),
        )
        key = random.choice(["q1", "q2", "a.b", "#", "*.b", ""])
        bits = random.choice([{}, {"nowait": True}])
        tag = (
            self.tags[channel].pop(random.randrange(len(self.tags[channel])))
            if self.tags[channel] and random.random() < 0.9
            else 0
        )
        many = {"delivery_tag": tag, "multiple": tag == 0 or random.random() < 0.2}
        makers = [
            lambda: Queue.declare(queue=queue, durable=queue == "q2", auto_delete=queue == "q3", **bits),
            lambda: Queue.bind(queue=queue, exchange=exchange, routing_key=key, **bits),
            lambda: Queue.unbind(queue=queue, exchange=exchange, routing_key=key),
            lambda: Exchange.declare(
                exchange=exchange[:2], type="fanout", durable=True, auto_delete=exchange == "e2", **bits
            ),
            lambda: Exchange.bind(destination="e1", source=exchange, routing_key=key, **bits),
            lambda: random.choice([Queue.delete, Queue.purge])(queue=queue, **bits),
            lambda: codec.Channel.flow(active=random.random() < 0.7),
            lambda: Basic.qos(prefetch_count=random.randint(0, 3), global_=random.random() < 0.5),
            lambda: Basic.get(queue=queue, no_ack=random.random() < 0.3),
            lambda: Basic.recover(requeue=True),
            lambda: random.choice([self.mode, self.mode, self.mode, Confirm, Tx]).select(),
            lambda: random.choice([Tx.commit, Tx.rollback])() if self.mode is Tx else Confirm.select(),
            lambda: codec.Channel.close() if random.random() < 0.1 else Basic.recover_async(requeue=True),
            lambda: Basic.cancel(consumer_tag=queue, **bits),
            *[lambda: Basic.consume(queue=queue, consumer_tag=queue + str(random.random()), **bits)] * 2,
            *[lambda: Basic.consume(queue=queue, no_ack=True, **bits)],
            *[lambda: random.choice([Basic.ack, Basic.nack])(**many)] * 3,
            *[lambda: Basic.nack(**many, requeue=True)],
            *[lambda: Basic.publish(exchange="", routing_key=queue, mandatory=tag == 0)] * 9,
            *[lambda: Basic.publish(exchange=exchange, routing_key=key)] * 3,
        ]
        return random.choice(makers)()

    def content(self, channel: int) -> bytes:
        """A header and a body that usually belong together."""
        body = self.octets(self.random.choice([0, 3, 50, 20_000]))
        size = len(body) if self.random.random() < 0.98 else self.number(64)
        pieces = [body]
        if len(body) > 1:
            at = self.random.randint(0, len(body))
            pieces = [body[:at], body[at:]]
        out = frame(2, channel, header_payload(size, self.properties()))
        return out + b"".join(
            [frame(3, channel, piece) for piece in pieces if piece or self.random.random() < 0.1]
        )

    def frames(self, channel: int) -> bytes:
        """What a client would send in one go."""
        method = self.polite(channel) if self.random.random() < self.politeness else self.method()
        out = method_frame(channel, method)
        if (method.name == "basic.publish" and self.random.random() < 0.97) or self.random.random() < 0.005:
            out += self.content(channel)
        return out

    def prelude(self) -> bytes:
        """Channels, queues and an exchange."""
        out = b"".join([method_frame(channel, codec.Channel.open()) for channel in CHANNELS])
        for queue in ("q1", "q2"):
            out += method_frame(1, Queue.declare(queue=queue, durable=queue == "q2", nowait=True))
        for exchange in ("e1", "e2"):
            declare = Exchange.declare(exchange=exchange, type="fanout", durable=True, nowait=True)
            out += method_frame(1, declare)
        return out

    def again(self, channel: int) -> bytes:
        """What a client says when its channel was closed, late words included."""
        late = self.frames(channel) if self.random.random() < 0.5 else b""
        return (
            late
            + method_frame(channel, codec.Channel.close_ok())
            + method_frame(channel, codec.Channel.open())
        )

    def stream(self, count: int) -> bytes:
        """Frames on a few channels, each opened first."""
        out = self.prelude()
        for _ in range(count):
            channel = self.random.choice(CHANNELS)
            if self.random.random() > self.politeness:
                channel = self.random.choice([*CHANNELS, 0, 9])
            out += self.frames(channel)
        return out

    def mutated(self, data: bytes) -> bytes:
        """A few octets changed, lost or added."""
        out = bytearray(data)
        for _ in range(self.random.randint(1, 6)):
            at = self.random.randrange(len(out))
            kind = self.random.randint(0, 3)
            if kind == 0:
                out[at] = self.random.getrandbits(8)
            elif kind == 1:
                out[at] ^= 1 << self.random.randint(0, 7)
            elif kind == 2:
                del out[at : at + self.random.randint(1, 9)]
            else:
                out[at:at] = self.octets(9)
            if not out:
                break
        return bytes(out)

    def random_frames(self, count: int) -> bytes:
        """Frames in form, with anything in them."""
        out = b""
        for _ in range(count):
            kind = self.random.choice([1, 1, 1, 2, 3, 8, 4])
            payload = self.octets(60)
            if kind == 1 and self.random.random() < 0.8:
                payload = struct.pack(">HH", *self.random.choice(list(IDS.values()))) + payload
            out += frame(kind, self.random.choice([0, 1, 1, 1, 2]), payload)
        return out

    def handshake(self) -> bytes:
        return PROTOCOL_HEADER + b"".join(
            [
                method_frame(0, method)
                for method in (
                    Connection.start_ok(mechanism="PLAIN", response=b"\0guest\0guest", locale="en_US"),
                    Connection.tune_ok(
                        channel_max=2047, frame_max=131072, heartbeat=self.random.choice([0, 1])
                    ),
                    Connection.open(virtual_host="/"),
                )
            ]
        )

    def attack(self, kind: str) -> bytes:
        if kind == "noise":
            return self.octets(300)
        if kind == "noise after the handshake":
            return self.handshake() + self.octets(300)
        if kind == "mutated methods":
            return self.handshake() + self.mutated(self.stream(self.random.randint(1, 20)))
        if kind == "mutated handshake":
            return self.mutated(self.handshake())
        return self.handshake() + method_frame(1, codec.Channel.open()) + self.random_frames(10)

    def cut(self, data: bytes) -> list[bytes]:
        if self.random.random() < 0.2:
            return [data]
        count = self.random.randint(1, 20)
        edges = sorted([0, len(data), *[self.random.randint(0, len(data)) for _ in range(count)]])
        return [data[start:end] for start, end in itertools.pairwise(edges)]


KINDS = [
    "noise",
    "noise after the handshake",
    "conversation",
    "conversation",
    "mutated methods",
    "mutated handshake",
    "random frames",
]


class Bystander:
    """A client on the same node that publishes, is confirmed and consumes, and must never notice anything."""

    def __init__(self, node: Node) -> None:
        self.count = 0
        self.channel = node.client().channel()
        (
            self.channel
            >> Queue.declare(queue="bystander", exclusive=True, nowait=True)
            >> Confirm.select(nowait=True)
        )
        self.channel.consume("bystander", no_ack=True)

    def works(self) -> None:
        self.count += 1
        body = b"%d" % self.count
        self.channel.publish(body, key="bystander")
        self.channel << Basic.deliver(delivery_tag=self.count, body=body)
        self.channel << Basic.ack(delivery_tag=self.count, multiple=False)
        assert self.channel.client.is_quiet()


def check_answers(client: Client) -> None:
    """Frames in form, closes with sensible codes, and nothing but close-ok after them, channel by channel."""
    if client.transport.writes and client.transport.writes[0] in (PROTOCOL_HEADER, b"PONG\r\n"):
        assert len(client.transport.writes) == 1
        return
    client.take_frames()
    assert client._rest == b""
    assert client.transport.late == [], "written after close"
    closing = closed = False
    gone: set[int] = set()
    for each in client.log:
        assert not closed, f"{each} after close-ok"
        name = codec.decode_method(each.payload).name if each.kind == 1 else ""
        assert not closing or name == "connection.close_ok", f"{each} after close"
        if name == "connection.close":
            closing = True
            code = codec.decode_method(each.payload).reply_code
            assert code in CONNECTION_CODES, codec.decode_method(each.payload)
        closed = name == "connection.close_ok"
        if each.channel:
            check_channel_answer(each, name, gone)


def check_channel_answer(each: Frame, name: str, gone: set[int]) -> None:
    if name == "channel.open_ok":
        gone.discard(each.channel)
        return
    if name != "channel.close_ok":
        assert each.channel not in gone, f"{each} on a channel that is closed"
    if name == "channel.close":
        assert codec.decode_method(each.payload).reply_code in CHANNEL_CODES, codec.decode_method(
            each.payload
        )
    if name in ("channel.close", "channel.close_ok"):
        gone.add(each.channel)


def check_nothing_left(node: Node, owner: int) -> None:
    """What a client leaves behind: no consumers, no exclusive queues, nothing outstanding."""
    for queue in node.vhost.queues.values():
        if queue.name != b"bystander":
            assert queue.owner != owner
            assert len(queue.consumers) == 0
            assert queue.unacked_count == 0
    for exchange in node.vhost.exchanges.values():
        for binding in exchange.bindings.values():
            target = binding.destination
            assert target in node.vhost.queues.values() or target in node.vhost.exchanges.values()
        assert node.channel_count() == 1


def check_store(node: Node) -> None:
    """What the store was told of agrees with what there is, once nobody holds anything."""
    store, vhost = node.store, node.vhost
    assert not store.is_in_transaction
    bindings = [binding for exchange in vhost.exchanges.values() for binding in exchange.bindings.values()]
    defined: list[Definition | None] = [each.definition for each in vhost.exchanges.values()]
    defined += [each.definition for each in vhost.queues.values()]
    defined += [each.definition for each in bindings]
    assert set(defined) - {None} == set(store.definitions)
    for binding in bindings:
        lasts = binding.source.durable and binding.destination.durable
        assert lasts == (binding.definition is not None)
    ready = {queue.kept: queue.in_memory() for queue in vhost.queues.values()}
    for kept in [each for each in store.queues if each.durable]:
        waiting = [entry for entry in ready.get(kept, []) if entry.message.stored]
        appended = [kept in queues for _, queues in store.appended].count(True)
        assert len(kept.settled_messages) + len(waiting) == appended


def move_store(node: Node, random: Random) -> None:
    """Now and then the store makes a part of what it has safe, or gives up on it."""
    if random.random() < 0.4:
        move = node.sync if random.random() < 0.9 else node.refuse
        move(random.randint(0, node.store.sequence))


def converse(attacker: Attacker, client: Client, bystander: Bystander) -> None:
    """Send frames, a few at a time and cut anywhere; open channels again when they were closed."""
    random, read = attacker.random, 0
    client.feed(attacker.handshake() + attacker.prelude())
    for _ in range(random.randint(1, 40)):
        data = b""
        for _ in range(random.randint(1, 5)):
            data += attacker.frames(random.choice(CHANNELS if random.random() < 0.999 else [0, 9]))
        for piece in attacker.cut(data):
            client.feed(piece)
            move_store(client.node, random)
        client.take_frames()
        for each in client.log[read:]:
            name = codec.decode_method(each.payload).name if each.kind == 1 else ""
            if name in ("basic.deliver", "basic.get_ok"):
                attacker.tags[each.channel].append(codec.decode_method(each.payload).delivery_tag)
            elif name == "connection.close":
                client.feed(method_frame(0, Connection.close_ok()))
                return
            elif name == "channel.close":
                attacker.tags[each.channel].clear()
                client.feed(attacker.again(each.channel))
            elif name == "channel.close_ok":
                attacker.tags[each.channel].clear()
                client.feed(method_frame(each.channel, codec.Channel.open()))
        read = len(client.log)
        bystander.works()
    if random.random() < 0.5:
        client.feed(attacker.frames(1) + method_frame(0, Connection.close(reply_code=200)))


def attack(attacker: Attacker, client: Client, bystander: Bystander) -> None:
    """Send what was drawn."""
    kind = attacker.random.choice(KINDS)
    if kind == "conversation":
        converse(attacker, client, bystander)
        return
    for piece in attacker.cut(attacker.attack(kind)):
        if client.transport.is_aborted:
            return
        client.feed(piece)
        move_store(client.node, attacker.random)
        bystander.works()


def run(seed: int) -> Node:
    """One node, one bystander, a few attackers one after the other."""
    random = Random(seed)
    node = Node(has_prompt_store=random.random() < 0.3)
    bystander = Bystander(node)
    for _ in range(3):
        client = node.stranger()
        attack(Attacker(random), client, bystander)
        if random.random() < 0.3:
            node.tick(random.randint(1, 5))
            bystander.works()
        node.sync()
        check_answers(client)
        client.session.lost()
        node.sync()
        check_nothing_left(node, client.session.id)
        check_store(node)
        assert node.store.waiters == []
        bystander.works()
    return node
