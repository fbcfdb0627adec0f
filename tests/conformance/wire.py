"""A client that says exactly what a test tells it to: `ch >> method` sends, `ch << method` expects."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections import deque
from typing import Any, NamedTuple, Self
from urllib.parse import unquote, urlsplit

from tests.conformance.codec import (
    FRAME_BODY,
    FRAME_END,
    FRAME_HEADER,
    FRAME_HEARTBEAT,
    FRAME_METHOD,
    PROTOCOL_HEADER,
    WITH_CONTENT,
    Basic,
    Channel,
    Confirm,
    Connection,
    Method,
    decode_method,
    decode_properties,
    encode_method,
    encode_properties,
)

PATIENCE = 8.0
CONNECTION_CLOSE = b"\x00\x0a\x00\x32"
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


class Closed(AssertionError):
    """The server closed the socket while a frame was expected."""


def frame(kind: int, channel: int, payload: bytes, end: bytes = FRAME_END) -> bytes:
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + end


def header_payload(size: int, properties: Any = None, class_id: int = 60, weight: int = 0) -> bytes:
    octets = properties if isinstance(properties, bytes) else encode_properties(properties or {})
    return struct.pack(">HHQ", class_id, weight, size) + octets


class Wire:
    """One TCP connection to the broker; `wire >> method` and `wire << method` speak on channel 0."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.address = (parts.hostname or "127.0.0.1", parts.port or 5672)
        self.username, self.password = parts.username or "guest", parts.password or "guest"
        self.virtual_host = unquote(parts.path[1:]) or "/"
        self.socket = socket.create_connection(self.address, PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.frame_max = 131072
        self.heartbeats = 0
        self.is_closed_by_server = False
        self.received = bytearray()
        self.pending: dict[int, deque[Frame]] = {}
        self.zero = WireChannel(self, 0)
        self.last_channel = 0

    @classmethod
    def opened(cls, url: str, **tuning: Any) -> Self:
        wire = cls(url)
        try:
            wire.handshake(**tuning)
        except BaseException:
            wire.drop()
            raise
        return wire

    def __rshift__(self, method: Method) -> Self:
        self.zero >> method
        return self

    def __lshift__(self, method: Method) -> Method:
        return self.zero << method

    def start(self) -> Method:
        self.write(PROTOCOL_HEADER)
        return self << Connection.start()

    def login(
        self, *, mechanism: str = "PLAIN", response: bytes | None = None, **client_properties: Any
    ) -> Self:
        """Answer `connection.start`; the keywords are client properties, `capabilities` has a default."""
        if response is None:
            response = f"\0{self.username}\0{self.password}".encode()
        return self >> Connection.start_ok(
            client_properties={"capabilities": CAPABILITIES, **client_properties},
            mechanism=mechanism,
            response=response,
            locale="en_US",
        )

    def handshake(
        self,
        *,
        channel_max: int = 2047,
        frame_max: int = 131072,
        heartbeat: int = 0,
        **client_properties: Any,
    ) -> Method:
        self.start()
        self.login(**client_properties)
        tune = self << Connection.tune()
        self.frame_max = frame_max or tune.frame_max
        self >> Connection.tune_ok(channel_max=channel_max, frame_max=frame_max, heartbeat=heartbeat)
        self >> Connection.open(virtual_host=self.virtual_host)
        self << Connection.open_ok()
        return tune

    def channel(self, number: int | None = None) -> WireChannel:
        """An opened channel; without a number the next one that this connection has not used."""
        self.last_channel = number or self.last_channel + 1
        channel = WireChannel(self, self.last_channel)
        channel.call(Channel.open())
        return channel

    def write(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def frame(self, kind: int, channel: int, payload: bytes, end: bytes = FRAME_END) -> None:
        self.write(frame(kind, channel, payload, end))

    def read(self, size: int, patience: float = PATIENCE) -> bytes:
        """Exactly `size` octets; `Closed` when the server ends first, `TimeoutError` when it is silent."""
        deadline = time.monotonic() + patience
        while len(self.received) < size:
            self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                chunk = self.socket.recv(1 << 20)
            except ConnectionError as error:
                raise Closed(str(error)) from error
            finally:
                self.socket.settimeout(PATIENCE)
            if not chunk:
                raise Closed(f"end of stream after {bytes(self.received)!r}")
            self.received += chunk
        taken = bytes(self.received[:size])
        del self.received[:size]
        return taken

    def read_frame(self, patience: float = PATIENCE) -> Frame:
        if len(self.received) < 7:
            self.received[:0] = self.read(7, patience)
        kind, channel, size = struct.unpack(">BHI", self.received[:7])
        whole = self.read(7 + size + 1, patience)
        assert whole[-1:] == FRAME_END, f"frame ends with {whole[-1:]!r}"
        assert size + 8 <= self.frame_max, f"frame of {size + 8} octets, negotiated {self.frame_max}"
        if kind == FRAME_METHOD and channel == 0 and whole[7:11] == CONNECTION_CLOSE:
            self.is_closed_by_server = True
        return Frame(kind, channel, whole[7:-1])

    def frame_for(self, channel: int, patience: float = PATIENCE) -> Frame:
        """The next frame of one channel; frames of the others wait for their turn, heartbeats are counted."""
        deadline = time.monotonic() + patience
        mine = self.pending.setdefault(channel, deque())
        while not mine:
            received = self.read_frame(max(deadline - time.monotonic(), 0.001))
            if received.kind == FRAME_HEARTBEAT:
                self.heartbeats += 1
                continue
            if received.channel == 0 != channel:
                method = decode_method(received.payload)
                assert method.name != "connection.close", f"connection closed: {method.fields}"
            self.pending.setdefault(received.channel, deque()).append(received)
        return mine.popleft()

    def ended(self, patience: float = PATIENCE) -> bytes:
        """What the server still sent before it closed the socket, which it must do in time."""
        out = b""
        try:
            while True:
                out += self.read(1, patience)
        except Closed:
            return out

    def close(self) -> None:
        """Close politely if the connection still answers; the socket is closed in any case."""
        with contextlib.suppress(AssertionError, OSError):
            if not self.is_closed_by_server:
                self >> Connection.close(reply_code=200, reply_text="bye")
                while decode_method(self.frame_for(0, 2).payload).name != "connection.close_ok":
                    pass
        self.drop()

    def drop(self) -> None:
        """Close the socket without a word."""
        self.socket.close()

    def reset(self) -> None:
        """Close the socket with a TCP reset, as a crashed client's machine does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class WireChannel:
    """One channel number of a `Wire`; nothing is checked before it is sent."""

    def __init__(self, wire: Wire, number: int) -> None:
        self.wire, self.number = wire, number

    def octets(self, method: Method) -> bytes:
        """The frames of `method`, with content if its class has one."""
        out = frame(FRAME_METHOD, self.number, encode_method(method))
        if method.name in WITH_CONTENT:
            body, step = method.body or b"", self.wire.frame_max - 8
            out += frame(FRAME_HEADER, self.number, header_payload(len(body), method.properties))
            for start in range(0, len(body), step):
                out += frame(FRAME_BODY, self.number, body[start : start + step])
        return out

    def __rshift__(self, method: Method) -> Self:
        self.wire.write(self.octets(method))
        return self

    def __lshift__(self, expected: Method) -> Method:
        received = self.next()
        _compare(received, expected)
        return received

    def next(self, patience: float = PATIENCE) -> Method:
        """The next method of this channel, with its content."""
        first = self.wire.frame_for(self.number, patience)
        assert first.kind == FRAME_METHOD, f"expected a method frame: {first}"
        method = decode_method(first.payload)
        if method.name in WITH_CONTENT:
            self._read_content(method)
        return method

    def _read_content(self, method: Method) -> None:
        header = self.wire.frame_for(self.number)
        assert header.kind == FRAME_HEADER, f"expected a content header: {header}"
        class_id, weight, size = struct.unpack(">HHQ", header.payload[:12])
        assert (class_id, weight) == (60, 0)
        body = b""
        while len(body) < size:
            part = self.wire.frame_for(self.number)
            assert part.kind == FRAME_BODY, f"expected a body frame: {part}"
            assert part.payload, "empty body frame"
            method.fragments.append(len(part.payload))
            body += part.payload
        method.body, method.properties = body, header.payload[12:]

    def call(self, method: Method) -> Method:
        """Send a synchronous method and return its `-ok`."""
        self >> method
        return self << Method(f"{method.name}_ok")

    def publish(
        self, body: bytes = b"", routing_key: str | bytes = "", exchange: str = "", **more: Any
    ) -> Self:
        """`more` are `basic.publish` fields and `properties`."""
        return self >> Basic.publish(body=body, exchange=exchange, routing_key=routing_key, **more)

    def enqueue(self, queue: str, *bodies: bytes, **more: Any) -> Self:
        """Publish and wait until `queue` has it: only then is RabbitMQ's message count right."""
        publisher = WireChannel(self.wire, 2000)
        publisher.call(Channel.open())
        publisher.call(Confirm.select())
        for body in bodies:
            publisher.publish(body, queue, **more)
        while (publisher << Basic.ack()).delivery_tag < len(bodies):
            pass
        publisher.call(Channel.close())
        return self

    def bodies(self, count: int) -> list[bytes]:
        """The bodies of the next `count` deliveries."""
        return [(self << Basic.deliver()).body or b"" for _ in range(count)]

    def drain(self, queue: str) -> list[bytes]:
        """Get and acknowledge everything that is ready in `queue`."""
        out: list[bytes] = []
        while True:
            self >> Basic.get(queue=queue, no_ack=True)
            received = self.next()
            if received.name == "basic.get_empty":
                return out
            _compare(received, Basic.get_ok())
            out.append(received.body or b"")

    def quiet(self, seconds: float = 0.15) -> None:
        """Nothing arrives on this channel for a while."""
        try:
            received = self.next(seconds)
        except TimeoutError:
            return
        raise AssertionError(f"expected silence, received {received}")


def properties_of(method: Method) -> dict[str, Any]:
    return decode_properties(method.properties)


def _compare(received: Method, expected: Method) -> None:
    assert received.name == expected.name, f"expected {expected}, received {received}"
    same = {name: received.fields[name] for name in expected.fields}
    assert same == expected.fields, f"{received.name}: expected {expected.fields}, received {received.fields}"
    if expected.body is not None:
        assert received.body == expected.body
    if expected.properties is not None:
        given = expected.properties
        octets = given if isinstance(given, bytes) else encode_properties(given)
        assert received.properties == octets


REPLY_NAMES = {
    403: "ACCESS_REFUSED", 404: "NOT_FOUND", 405: "RESOURCE_LOCKED", 406: "PRECONDITION_FAILED",
    320: "CONNECTION_FORCED", 501: "FRAME_ERROR", 503: "COMMAND_INVALID", 504: "CHANNEL_ERROR",
    505: "UNEXPECTED_FRAME", 530: "NOT_ALLOWED", 540: "NOT_IMPLEMENTED", 541: "INTERNAL_ERROR",
}  # fmt: skip


def channel_closed(code: int, text: str, class_id: int, method_id: int) -> Method:
    """The `channel.close` to expect; `text` without the reply code's name."""
    whole = f"{REPLY_NAMES[code]} - {text}"
    return Channel.close(reply_code=code, reply_text=whole[:255], class_id=class_id, method_id=method_id)


def connection_closed(code: int, text: str, class_id: int, method_id: int) -> Method:
    """The `connection.close` to expect; `text` without the reply code's name."""
    whole = f"{REPLY_NAMES[code]} - {text}"
    return Connection.close(reply_code=code, reply_text=whole[:255], class_id=class_id, method_id=method_id)
