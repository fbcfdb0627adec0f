"""A session without a socket, as a script: `client >> method` feeds it, `client << method` is expected."""

from __future__ import annotations

import struct
from collections import deque
from typing import Any, NamedTuple, Self

from tests.conformance.codec import (
    PROTOCOL_HEADER,
    WITH_CONTENT,
    Basic,
    Channel,
    Connection,
    Method,
    decode_method,
    decode_properties,
    encode_method,
    encode_properties,
)
from tests.fakes import FakeClock, FakeStore, FakeTransport, FixedNames, settle_down

from supersoniq.amqp.tables import encode_table, table_of
from supersoniq.auth.permissions import Permission, Permissions
from supersoniq.auth.users import User, Users
from supersoniq.broker.queues.queue import Queue as BrokerQueue
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost
from supersoniq.server.permission_changes import PermissionChanges
from supersoniq.session.connection import Connection as Session
from supersoniq.session.context import Context, Limits
from supersoniq.session.logins import Login, Logins

CAPABILITIES = {
    "publisher_confirms": True,
    "basic.nack": True,
    "consumer_cancel_notify": True,
    "connection.blocked": True,
    "authentication_failure_close": True,
}


class Frame(NamedTuple):
    kind: int
    channel: int
    payload: bytes


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def header_payload(body_bytes: int, properties: Any = None, class_id: int = 60, weight: int = 0) -> bytes:
    """A content header; `properties` are a dict, or the octets from the flags on."""
    octets = properties if isinstance(properties, bytes) else encode_properties(properties or {})
    return struct.pack(">HHQ", class_id, weight, body_bytes) + octets


def method_frame(channel: int, method: Method) -> bytes:
    return frame(1, channel, encode_method(method))


def octets_of(channel: int, method: Method, body_bytes_max: int = 131_064) -> bytes:
    """A method's frame, and those of its content if it carries any."""
    out = method_frame(channel, method)
    if method.name == "basic.publish":
        body = method.body or b""
        out += frame(2, channel, header_payload(len(body), method.properties))
        for at in range(0, len(body), body_bytes_max):
            out += frame(3, channel, body[at : at + body_bytes_max])
    return out


def frames_in(data: bytes) -> tuple[list[Frame], bytes]:
    """The frames in what a session wrote, and what is left over."""
    frames: list[Frame] = []
    at = 0
    while len(data) - at >= 8:
        kind, channel, size = struct.unpack_from(">BHI", data, at)
        if len(data) - at < size + 8:
            break
        assert data[at + 7 + size] == 0xCE, "a frame without its end"
        frames.append(Frame(kind, channel, data[at + 7 : at + 7 + size]))
        at += size + 8
    return frames, data[at:]


class FakeLogins(Logins):
    """Knows guest, who may come from this machine only, and ann; decides at once unless told to hold."""

    def __init__(self) -> None:
        self.is_holding = False
        self.held: list[Login] = []

    def attempt(self, login: Login) -> None:
        if self.is_holding:
            self.held.append(login)
        else:
            self.decide(login)

    def decide(self, login: Login) -> None:
        if login.user not in ("guest", "ann"):
            login.refuse("there is no such user")
        elif login.password is not None and login.password != login.user.encode():
            login.refuse("the password is wrong")
        elif login.user == "guest" and not login.from_loopback:
            login.refuse("the user may come from this machine only")
        else:
            login.grant()


class Node:
    """What `node.py` puts together, with fakes below and beside."""

    def __init__(self, limits: Limits | None = None, has_prompt_store: bool = True) -> None:
        self.clock = FakeClock()
        self.turn = Turn(self.clock)
        self.store = FakeStore(has_prompt_store)
        self.names = FixedNames()
        self.vhost = VHost("/", self.turn, self.store, self.names)
        self._own_holders = len(self.vhost.holders)
        self.logins = FakeLogins()
        permissions = Permissions()
        for user in ("guest", "ann"):
            permissions.put(user, "/", Permission(".*", ".*", ".*"))
        self.context = Context(
            self.turn,
            {"/": self.vhost},
            Users([User(name) for name in ("guest", "ann")]),
            permissions,
            self.logins,
            self.names,
            limits or Limits(),
            encode_table(table_of({"product": "test"})),
        )
        permissions.affected = PermissionChanges(self.context)
        self.clients: list[Client] = []

    def end_turn(self) -> None:
        settle_down(self.turn)

    def channel_count(self) -> int:
        """How many channels may hold messages."""
        return len(self.vhost.holders) - self._own_holders

    def pass_time(self, milliseconds: int) -> None:
        """Let time go by, with all that it brings about."""
        self.clock.move(self.turn, milliseconds)

    def sync(self, sequence: int | None = None) -> None:
        """The store makes everything safe, or all up to `sequence`."""
        self.store.sync(sequence)
        self.end_turn()

    def refuse(self, sequence: int | None = None) -> None:
        """The store gives up on what is not safe, or on all up to `sequence`."""
        self.store.refuse(sequence)
        self.end_turn()

    def stranger(self, from_loopback: bool = True) -> Client:
        """A client that has sent nothing yet."""
        client = Client(self, from_loopback)
        self.clients.append(client)
        return client

    def client(self, heartbeat: int = 0, **tuning: Any) -> Client:
        """A client with an open connection."""
        return self.stranger().open(heartbeat=heartbeat, **tuning)

    def channel(self) -> ChannelScript:
        """An open channel on a connection of its own."""
        return self.client().channel()

    def queue(self, name: bytes = b"q", durable: bool = False) -> BrokerQueue:
        return self.vhost.declare_queue(name, durable, False, False, {}, 0)

    def tick(self, count: int = 1) -> None:
        for _ in range(count):
            for client in self.clients:
                client.session.tick()
            self.end_turn()


class Client:
    """One connection. Methods given to the client itself are for channel 0."""

    def __init__(self, node: Node, from_loopback: bool) -> None:
        self.node = node
        self.transport = FakeTransport()
        self.session = Session(node.context, self.transport, "127.0.0.1:50000", from_loopback)
        self.transport.output = self.session.output
        self.log: list[Frame] = []  # every frame that was ever received
        self._rest = b""
        self._read = 0
        self._pending: dict[int, deque[Frame]] = {}

    def feed(self, data: bytes) -> Self:
        """Feed octets, and end the turn as a transport does."""
        self.session.feed(data)
        self.node.end_turn()
        return self

    def __rshift__(self, what: bytes | Method) -> Self:
        return self.feed(what if isinstance(what, bytes) else octets_of(0, what))

    def __lshift__(self, expected: Method) -> Method:
        return self.receive(0, expected)

    def open(
        self,
        heartbeat: int = 0,
        frame_max: int = 131_072,
        channel_max: int = 2047,
        response: bytes = b"\0guest\0guest",
        **properties: Any,
    ) -> Self:
        """Shake hands; the keywords are client properties."""
        self >> PROTOCOL_HEADER
        self << Connection.start()
        self.login(response=response, **properties)
        self << Connection.tune()
        self >> Connection.tune_ok(channel_max=channel_max, frame_max=frame_max, heartbeat=heartbeat)
        self >> Connection.open(virtual_host="/")
        self << Connection.open_ok()
        return self

    def login(self, mechanism: str = "PLAIN", response: bytes = b"\0guest\0guest", **properties: Any) -> Self:
        given = {"capabilities": CAPABILITIES, **properties}
        return self >> Connection.start_ok(
            client_properties=given, mechanism=mechanism, response=response, locale="en_US"
        )

    def channel(self, number: int = 1) -> ChannelScript:
        """Open a channel."""
        script = ChannelScript(self, number)
        script >> Channel.open()
        script << Channel.open_ok()
        return script

    def take_frames(self) -> None:
        """Sort what was written since by channel."""
        written = b"".join(self.transport.writes[self._read :])
        self._read = len(self.transport.writes)
        frames, self._rest = frames_in(self._rest + written)
        for each in frames:
            self.log.append(each)
            self._pending.setdefault(each.channel, deque()).append(each)

    def next_frame(self, channel: int = 0) -> Frame:
        self.take_frames()
        pending = self._pending.get(channel)
        assert pending, f"nothing more came on channel {channel}"
        return pending.popleft()

    def receive(self, channel: int, expected: Method) -> Method:
        """The next method on a channel; fields that `expected` names must agree."""
        first = self.next_frame(channel)
        assert first.kind == 1, f"{first} instead of {expected.name}"
        received = decode_method(first.payload)
        assert received.name == expected.name, f"{received} instead of {expected}"
        for name, value in expected.fields.items():
            assert received.fields[name] == value, f"{name} of {received}, not {value!r}"
        if received.name in WITH_CONTENT:
            self._receive_content(channel, received)
            if expected.body is not None:
                assert received.body == expected.body
            if expected.properties is not None:
                assert received.properties == expected.properties
        return received

    def _receive_content(self, channel: int, method: Method) -> None:
        header = self.next_frame(channel)
        assert header.kind == 2
        class_id, weight, size = struct.unpack_from(">HHQ", header.payload)
        assert (class_id, weight) == (60, 0)
        method.properties = decode_properties(header.payload[12:])
        body = b""
        while len(body) < size:
            piece = self.next_frame(channel)
            assert piece.kind == 3
            method.fragments.append(len(piece.payload))
            body += piece.payload
        assert len(body) == size
        method.body = body

    def is_quiet(self) -> bool:
        """Whether everything that came was taken."""
        self.take_frames()
        return not any(self._pending.values()) and not self._rest

    def method_names(self) -> list[str]:
        """The methods that came and were not taken, over all channels in order; takes them."""
        self.take_frames()
        before = len(self.log) - sum([len(pending) for pending in self._pending.values()])
        self._pending.clear()
        return [decode_method(each.payload).name for each in self.log[before:] if each.kind == 1]


class ChannelScript:
    """One channel of a client."""

    def __init__(self, client: Client, number: int) -> None:
        self.client = client
        self.number = number

    @property
    def node(self) -> Node:
        return self.client.node

    def __rshift__(self, what: bytes | Method) -> Self:
        self.client.feed(what if isinstance(what, bytes) else octets_of(self.number, what))
        return self

    def __lshift__(self, expected: Method) -> Method:
        return self.client.receive(self.number, expected)

    def consume(self, queue: str = "q", tag: str = "c", **fields: Any) -> Self:
        self >> Basic.consume(queue=queue, consumer_tag=tag, **fields)
        self << Basic.consume_ok(consumer_tag=tag)
        return self

    def qos(self, prefetch_count: int, is_global: bool = False) -> Self:
        self >> Basic.qos(prefetch_count=prefetch_count, global_=is_global)
        self << Basic.qos_ok()
        return self

    def publish(self, *bodies: bytes, key: str = "q", **more: Any) -> Self:
        """Publish each body in one turn, to the default exchange unless told otherwise."""
        data = b"".join(
            [octets_of(self.number, Basic.publish(routing_key=key, body=body, **more)) for body in bodies]
        )
        return self >> data

    def bodies(self) -> list[bytes]:
        """The bodies of all deliveries that came; nothing else may have come."""
        found = []
        while not self.client.is_quiet():
            delivery = self << Basic.deliver()
            assert delivery.body is not None
            found.append(delivery.body)
        return found

    def closed_with(self, code: int) -> Method:
        """Expect Channel.Close with this code, and answer it."""
        closed = self << Channel.close(reply_code=code)
        self >> Channel.close_ok()
        return closed
