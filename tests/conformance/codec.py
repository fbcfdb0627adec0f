"""AMQP 0-9-1 in `struct` alone, independent of the broker's codec so that its mistakes cannot cancel out."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

FRAME_METHOD, FRAME_HEADER, FRAME_BODY, FRAME_HEARTBEAT = 1, 2, 3, 8
FRAME_END = b"\xce"
PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"

# o octet, h short, i long, q longlong, s shortstr, S longstr, b bit, F table
SPECIFICATION = """
10.10 connection.start version_major:o version_minor:o server_properties:F mechanisms:S locales:S
10.11 connection.start_ok client_properties:F mechanism:s response:S locale:s
10.30 connection.tune channel_max:h frame_max:i heartbeat:h
10.31 connection.tune_ok channel_max:h frame_max:i heartbeat:h
10.40 connection.open virtual_host:s reserved_1:s reserved_2:b
10.41 connection.open_ok reserved_1:s
10.50 connection.close reply_code:h reply_text:s class_id:h method_id:h
10.51 connection.close_ok
10.60 connection.blocked reason:s
10.61 connection.unblocked
10.70 connection.update_secret new_secret:S reason:s
10.71 connection.update_secret_ok
20.10 channel.open reserved_1:s
20.11 channel.open_ok reserved_1:S
20.20 channel.flow active:b
20.21 channel.flow_ok active:b
20.40 channel.close reply_code:h reply_text:s class_id:h method_id:h
20.41 channel.close_ok
30.10 access.request realm:s exclusive:b passive:b active:b write:b read:b
30.11 access.request_ok ticket:h
40.10 exchange.declare ticket:h exchange:s type:s passive:b durable:b auto_delete:b internal:b nowait:b \
 arguments:F
40.11 exchange.declare_ok
40.20 exchange.delete ticket:h exchange:s if_unused:b nowait:b
40.21 exchange.delete_ok
40.30 exchange.bind ticket:h destination:s source:s routing_key:s nowait:b arguments:F
40.31 exchange.bind_ok
40.40 exchange.unbind ticket:h destination:s source:s routing_key:s nowait:b arguments:F
40.51 exchange.unbind_ok
50.10 queue.declare ticket:h queue:s passive:b durable:b exclusive:b auto_delete:b nowait:b arguments:F
50.11 queue.declare_ok queue:s message_count:i consumer_count:i
50.20 queue.bind ticket:h queue:s exchange:s routing_key:s nowait:b arguments:F
50.21 queue.bind_ok
50.30 queue.purge ticket:h queue:s nowait:b
50.31 queue.purge_ok message_count:i
50.40 queue.delete ticket:h queue:s if_unused:b if_empty:b nowait:b
50.41 queue.delete_ok message_count:i
50.50 queue.unbind ticket:h queue:s exchange:s routing_key:s arguments:F
50.51 queue.unbind_ok
60.10 basic.qos prefetch_size:i prefetch_count:h global_:b
60.11 basic.qos_ok
60.20 basic.consume ticket:h queue:s consumer_tag:s no_local:b no_ack:b exclusive:b nowait:b arguments:F
60.21 basic.consume_ok consumer_tag:s
60.30 basic.cancel consumer_tag:s nowait:b
60.31 basic.cancel_ok consumer_tag:s
60.40 basic.publish ticket:h exchange:s routing_key:s mandatory:b immediate:b
60.50 basic.return reply_code:h reply_text:s exchange:s routing_key:s
60.60 basic.deliver consumer_tag:s delivery_tag:q redelivered:b exchange:s routing_key:s
60.70 basic.get ticket:h queue:s no_ack:b
60.71 basic.get_ok delivery_tag:q redelivered:b exchange:s routing_key:s message_count:i
60.72 basic.get_empty cluster_id:s
60.80 basic.ack delivery_tag:q multiple:b
60.90 basic.reject delivery_tag:q requeue:b
60.100 basic.recover_async requeue:b
60.110 basic.recover requeue:b
60.111 basic.recover_ok
60.120 basic.nack delivery_tag:q multiple:b requeue:b
85.10 confirm.select nowait:b
85.11 confirm.select_ok
90.10 tx.select
90.11 tx.select_ok
90.20 tx.commit
90.21 tx.commit_ok
90.30 tx.rollback
90.31 tx.rollback_ok
"""
PROPERTIES = (
    "content_type:s content_encoding:s headers:F delivery_mode:o priority:o correlation_id:s reply_to:s "
    "expiration:s message_id:s timestamp:q type:s user_id:s app_id:s cluster_id:s"
)

Fields = tuple[tuple[str, str], ...]


def _fields(words: list[str]) -> Fields:
    return tuple((name, kind) for name, _, kind in (word.partition(":") for word in words))


IDS: dict[str, tuple[int, int]] = {}
NAMES: dict[tuple[int, int], str] = {}
FIELDS: dict[str, Fields] = {}
for _line in SPECIFICATION.split("\n"):
    if _line:
        _number, _name, *_rest = _line.split()
        _class_id, _method_id = (int(part) for part in _number.split("."))
        IDS[_name] = (_class_id, _method_id)
        NAMES[(_class_id, _method_id)] = _name
        FIELDS[_name] = _fields(_rest)
PROPERTY_FIELDS = _fields(PROPERTIES.split())
WITH_CONTENT = ("basic.publish", "basic.return", "basic.deliver", "basic.get_ok")


@dataclass(frozen=True)
class Typed:
    """A table value with its type octet, where the Python type alone does not say which one is meant."""

    octet: str
    value: Any


@dataclass
class Method:
    """A method to send (missing fields are zero) or to expect (missing fields are not compared)."""

    name: str
    fields: dict[str, Any] = field(default_factory=dict)
    body: bytes | None = None
    properties: Any = None  # dict, or the octets after the body size: flags and values
    fragments: list[int] = field(default_factory=list)  # payload sizes of the body frames, when received

    def __getattr__(self, name: str) -> Any:
        try:
            return self.fields[name]
        except KeyError:
            raise AttributeError(name) from None


class MethodClass:
    """`Queue.declare(queue="q")`: one class of the specification; its attributes make methods."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, method: str) -> Callable[..., Method]:
        name = f"{self._name}.{method.rstrip('_')}"
        known = {each for each, _ in FIELDS[name]}

        def make(*, body: bytes | None = None, properties: Any = None, **fields: Any) -> Method:
            assert known >= set(fields), f"{name} has no {set(fields) - known}"
            return Method(name, fields, body, properties)

        return make


Connection, Channel, Access, Exchange = map(MethodClass, ("connection", "channel", "access", "exchange"))
Queue, Basic, Confirm, Tx = map(MethodClass, ("queue", "basic", "confirm", "tx"))


def _octets(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def shortstr(value: str | bytes) -> bytes:
    return bytes([len(_octets(value))]) + _octets(value)


def longstr(value: str | bytes) -> bytes:
    return struct.pack(">I", len(_octets(value))) + _octets(value)


def table(value: dict[Any, Any]) -> bytes:
    return longstr(b"".join(shortstr(key) + table_value(each) for key, each in value.items()))


OCTETS = {bool: "t", type(None): "V", float: "d", str: "S", bytes: "x", dict: "F", list: "A"}


def _typed(value: Any) -> Typed:
    if isinstance(value, Typed):
        return value
    if type(value) is int:
        return Typed("I" if -(2**31) <= value < 2**31 else "l", value)
    if isinstance(value, datetime):
        return Typed("T", int(value.timestamp()))
    return Typed(OCTETS[type(value)], value)


NUMBERS = {
    "t": ">?", "b": ">b", "B": ">B", "s": ">h", "u": ">H", "I": ">i", "i": ">I",
    "l": ">q", "L": ">q", "f": ">f", "d": ">d", "T": ">Q",
}  # fmt: skip


def table_value(value: Any) -> bytes:
    typed = _typed(value)
    octet = typed.octet.encode()
    if typed.octet in NUMBERS:
        return octet + struct.pack(NUMBERS[typed.octet], typed.value)
    match typed.octet:
        case "V":
            return octet
        case "D":
            return octet + struct.pack(">Bi", *typed.value)
        case "F":
            return octet + table(typed.value)
        case "A":
            return octet + longstr(b"".join(map(table_value, typed.value)))
        case _:
            return octet + longstr(typed.value)


def encode_fields(fields: Fields, values: dict[str, Any]) -> bytes:
    out, bits, bit = bytearray(), 0, 0
    for name, kind in (*fields, ("", "end")):
        if kind == "b":
            bits |= bool(values.get(name)) << bit
            bit += 1
            continue
        if bit:
            out.append(bits)
            bits = bit = 0
        match kind:
            case "s":
                out += shortstr(values.get(name, ""))
            case "S":
                out += longstr(values.get(name, b""))
            case "F":
                given = values.get(name, {})
                out += given if isinstance(given, bytes) else table(given)
            case "o" | "h" | "i" | "q":
                out += struct.pack({"o": ">B", "h": ">H", "i": ">I", "q": ">Q"}[kind], values.get(name, 0))
    return bytes(out)


def encode_method(method: Method) -> bytes:
    return struct.pack(">HH", *IDS[method.name]) + encode_fields(FIELDS[method.name], method.fields)


def encode_properties(values: dict[str, Any]) -> bytes:
    flags = sum(1 << (15 - index) for index, (name, _) in enumerate(PROPERTY_FIELDS) if name in values)
    present = tuple(each for each in PROPERTY_FIELDS if each[0] in values)
    return struct.pack(">H", flags) + encode_fields(present, values)


class Decoder:
    """Reads one payload from its start; every read moves forward."""

    def __init__(self, payload: bytes) -> None:
        self.rest = payload

    def take(self, size: int) -> bytes:
        assert len(self.rest) >= size, f"payload ends {size - len(self.rest)} octets early"
        taken, self.rest = self.rest[:size], self.rest[size:]
        return taken

    def number(self, code: str) -> Any:
        return struct.unpack(code, self.take(struct.calcsize(code)))[0]

    def longstr(self) -> bytes:
        return self.take(self.number(">I"))

    def text(self, octets: bytes) -> str:
        return octets.decode("utf-8", "surrogateescape")

    def table(self) -> dict[str, Any]:
        inner, out = Decoder(self.longstr()), {}
        while inner.rest:
            key = inner.text(inner.take(inner.number(">B")))
            out[key] = inner.value()
        return out

    def value(self) -> Any:
        octet = chr(self.take(1)[0])
        if octet == "T":
            return datetime.fromtimestamp(self.number(">Q"), UTC)
        if octet in NUMBERS:
            return self.number(NUMBERS[octet])
        match octet:
            case "V":
                return None
            case "D":
                return struct.unpack(">Bi", self.take(5))
            case "F":
                return self.table()
            case "A":
                inner, out = Decoder(self.longstr()), []
                while inner.rest:
                    out.append(inner.value())
                return out
            case "S":
                return self.text(self.longstr())
            case "x":
                return self.longstr()
        raise AssertionError(f"unknown table value type {octet!r}")

    def fields(self, fields: Fields) -> dict[str, Any]:
        out: dict[str, Any] = {}
        bits, bit = 0, 8
        for name, kind in fields:
            if kind != "b":
                bit = 8
            match kind:
                case "b":
                    if bit == 8:
                        bits, bit = self.number(">B"), 0
                    out[name] = bool(bits >> bit & 1)
                    bit += 1
                case "s":
                    out[name] = self.text(self.take(self.number(">B")))
                case "S":
                    out[name] = self.longstr()
                case "F":
                    out[name] = self.table()
                case _:
                    out[name] = self.number({"o": ">B", "h": ">H", "i": ">I", "q": ">Q"}[kind])
        return out


def decode_method(payload: bytes) -> Method:
    """The method in a method frame's payload; the payload must hold nothing more."""
    decoder = Decoder(payload)
    number = (decoder.number(">H"), decoder.number(">H"))
    assert number in NAMES, f"unknown method {number}"
    method = Method(NAMES[number], decoder.fields(FIELDS[NAMES[number]]))
    assert not decoder.rest, f"{method.name} is followed by {decoder.rest!r}"
    return method


def decode_properties(octets: bytes) -> dict[str, Any]:
    decoder = Decoder(octets)
    flags = decoder.number(">H")
    present = tuple(each for index, each in enumerate(PROPERTY_FIELDS) if flags >> (15 - index) & 1)
    return decoder.fields(present)
