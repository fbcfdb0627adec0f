"""A client that costs little: one socket with one channel, octets written and read as they are."""

import socket
import struct
from collections import deque
from typing import NamedTuple

from measures import Failed

from supersoniq.amqp.properties import Properties
from supersoniq.amqp.spec import (
    BASIC_CONSUME,
    BASIC_CONSUME_OK,
    CHANNEL_CLOSE,
    CHANNEL_OPEN,
    CHANNEL_OPEN_OK,
    CONFIRM_SELECT,
    CONFIRM_SELECT_OK,
    CONNECTION_CLOSE,
    CONNECTION_OPEN,
    CONNECTION_OPEN_OK,
    CONNECTION_START,
    CONNECTION_START_OK,
    CONNECTION_TUNE,
    CONNECTION_TUNE_OK,
    EXCHANGE_DECLARE,
    EXCHANGE_DECLARE_OK,
    EXCHANGE_DELETE,
    EXCHANGE_DELETE_OK,
    FLAG_EXPIRATION,
    FRAME_METHOD,
    PROTOCOL_HEADER,
    QUEUE_BIND,
    QUEUE_BIND_OK,
    QUEUE_DECLARE,
    QUEUE_DECLARE_OK,
    QUEUE_DELETE,
    QUEUE_DELETE_OK,
    QUEUE_PURGE,
    QUEUE_PURGE_OK,
)
from supersoniq.amqp.tables import encode_table, table_of
from supersoniq.client.address import parse_url
from supersoniq.client.publishing import publish_frames

SILENCE_SECONDS_MAX = 60.0
RECEIVE_BYTES = 1 << 20
FRAME_MAX_BYTES = 131072
HEAD = struct.Struct(">BHI")
NO_TABLE = bytes(4)
PASSIVE = 1
DURABLE = 2
NO_ACK = 2


class Frame(NamedTuple):
    """What came on either channel."""

    kind: int
    payload: bytes


class Raw:
    """One connection and its channel. Raises Failed if the server refuses, OSError if it is silent."""

    def __init__(self, url: str) -> None:
        address = parse_url(url)
        self.socket = socket.create_connection((address.host, address.port), SILENCE_SECONDS_MAX)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._frames: deque[Frame] = deque()
        self._rest = b""
        self.socket.sendall(PROTOCOL_HEADER)
        self._await(CONNECTION_START)
        response = f"\0{address.user}\0{address.password}".encode()
        response = struct.pack(">I", len(response)) + response
        self._send(0, CONNECTION_START_OK, NO_TABLE + _short("PLAIN") + response + _short("en_US"))
        self._await(CONNECTION_TUNE)
        self._send(0, CONNECTION_TUNE_OK, struct.pack(">HIH", 1, FRAME_MAX_BYTES, 0))
        self._send(0, CONNECTION_OPEN, _short(address.vhost) + b"\0\0")
        self._await(CONNECTION_OPEN_OK)
        self._call(CHANNEL_OPEN, b"\0", CHANNEL_OPEN_OK)

    def close(self) -> None:
        """End the connection without a word."""
        self.socket.close()

    def __enter__(self) -> "Raw":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- methods ---------------------------------------------------------------------------------

    def declare_exchange(self, name: str, kind: str, durable: bool = False, **arguments: object) -> None:
        """Declare an exchange; `_` in the names of arguments stands for `-`."""
        flags = bytes([DURABLE * durable])
        self._call(
            EXCHANGE_DECLARE,
            b"\0\0" + _short(name) + _short(kind) + flags + _table(arguments),
            EXCHANGE_DECLARE_OK,
        )

    def delete_exchange(self, name: str) -> None:
        """Delete an exchange."""
        self._call(EXCHANGE_DELETE, b"\0\0" + _short(name) + b"\0", EXCHANGE_DELETE_OK)

    def declare(self, queue: str, durable: bool = False, **arguments: object) -> None:
        """Declare a queue; `_` in the names of arguments stands for `-`."""
        flags = bytes([DURABLE * durable])
        self._call(QUEUE_DECLARE, b"\0\0" + _short(queue) + flags + _table(arguments), QUEUE_DECLARE_OK)

    def count(self, queue: str) -> int:
        """How many messages of a queue are ready."""
        told = self._call(
            QUEUE_DECLARE, b"\0\0" + _short(queue) + bytes([PASSIVE]) + NO_TABLE, QUEUE_DECLARE_OK
        )
        found: int = struct.unpack_from(">I", told, 1 + told[0])[0]
        return found

    def bind(self, queue: str, exchange: str, binding_key: str = "") -> None:
        """Bind a queue."""
        names = _short(queue) + _short(exchange) + _short(binding_key)
        self._call(QUEUE_BIND, b"\0\0" + names + b"\0" + NO_TABLE, QUEUE_BIND_OK)

    def purge(self, queue: str) -> None:
        """Drop what is ready in a queue."""
        self._call(QUEUE_PURGE, b"\0\0" + _short(queue) + b"\0", QUEUE_PURGE_OK)

    def delete(self, queue: str) -> None:
        """Delete a queue."""
        self._call(QUEUE_DELETE, b"\0\0" + _short(queue) + b"\0", QUEUE_DELETE_OK)

    def consume(self, queue: str, consumer_tag: str) -> None:
        """Have a queue's messages delivered without acks."""
        names = _short(queue) + _short(consumer_tag)
        self._call(BASIC_CONSUME, b"\0\0" + names + bytes([NO_ACK]) + NO_TABLE, BASIC_CONSUME_OK)

    def confirm(self) -> None:
        """Have publishes confirmed."""
        self._call(CONFIRM_SELECT, b"\0", CONFIRM_SELECT_OK)

    # --- octets ----------------------------------------------------------------------------------

    def write(self, octets: bytes) -> None:
        """Send octets, however long the server takes for them."""
        self.socket.sendall(octets)

    def next(self) -> Frame:
        """Wait for a frame."""
        while not self._frames:
            self._receive()
        return self._frames.popleft()

    def arrived(self) -> list[Frame]:
        """Take what there is; waits only if there is nothing."""
        if not self._frames:
            self._receive()
        found = list(self._frames)
        self._frames.clear()
        return found

    def _receive(self) -> None:
        more = self.socket.recv(RECEIVE_BYTES)
        if not more:
            raise Failed("the broker closed the connection")
        octets = self._rest + more
        at = 0
        while len(octets) - at >= HEAD.size:
            kind, _, size = HEAD.unpack_from(octets, at)
            if len(octets) - at < HEAD.size + size + 1:
                break
            begin = at + HEAD.size
            self._frames.append(Frame(kind, octets[begin : begin + size]))
            at = begin + size + 1
        self._rest = octets[at:]

    def _send(self, channel: int, method: int, arguments: bytes) -> None:
        head = HEAD.pack(FRAME_METHOD, channel, 4 + len(arguments))
        self.socket.sendall(head + struct.pack(">I", method) + arguments + b"\xce")

    def _call(self, method: int, arguments: bytes, reply: int) -> bytes:
        self._send(1, method, arguments)
        return self._await(reply)

    def _await(self, wanted: int) -> bytes:
        """Take frames up to a method: what else comes is of no interest then."""
        while True:
            frame = self.next()
            if frame.kind != FRAME_METHOD:
                continue
            method = int.from_bytes(frame.payload[:4])
            if method == wanted:
                return frame.payload[4:]
            if method in (CHANNEL_CLOSE, CONNECTION_CLOSE):
                size = frame.payload[6]
                raise Failed(frame.payload[7 : 7 + size].decode(errors="replace"))


def header_of(body_bytes: int, persistent: bool, expiration_ms: int = 0, **headers: object) -> bytes:
    """The payload of a content header; `_` in the names of headers stands for `-`."""
    properties = Properties()
    if persistent:
        properties.delivery_mode = 2
    if expiration_ms:
        properties.values[FLAG_EXPIRATION] = str(expiration_ms).encode()
    if headers:
        properties.headers = _table(headers)
    return properties.content_header(body_bytes)


def publish(exchange: str, routing_key: str, header: bytes, body: bytes) -> bytes:
    """The frames of a publish on the channel."""
    return publish_frames(1, exchange.encode(), routing_key.encode(), header, body, FRAME_MAX_BYTES)


def _short(text: str) -> bytes:
    octets = text.encode()
    return bytes([len(octets)]) + octets


def _table(values: dict[str, object]) -> bytes:
    return encode_table(table_of({name.replace("_", "-"): value for name, value in values.items()}))
