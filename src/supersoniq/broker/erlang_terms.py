"""Values as Erlang writes them: what RabbitMQ's events show of tables, addresses and protocols."""

from typing import Final

from supersoniq.amqp.primitives import octets
from supersoniq.amqp.tables import Field, Table

ESCAPES: Final = {8: b"\\b", 9: b"\\t", 10: b"\\n", 11: b"\\v", 12: b"\\f", 13: b"\\r", 27: b"\\e"}


def table_terms(table: Table) -> list[bytes]:
    """Return each field as a term of its own, such as `{<<"x-max-length">>,signedint,10}`."""
    return [_named(name, field) for name, field in table.items()]


def _named(name: bytes, field: Field) -> bytes:
    return b"{" + binary_term(name) + b"," + octets(field.kind_name) + b"," + _value(field) + b"}"


def _value(field: Field) -> bytes:
    value = field.value
    if isinstance(value, bytes):
        return binary_term(value)
    if value is None:
        return b"undefined"
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, float):
        return octets(float_term(value))
    if isinstance(value, dict):
        return b"[" + b",".join([_named(name, each) for name, each in value.items()]) + b"]"
    if isinstance(value, list):
        return b"[" + b",".join([_item(each) for each in value]) + b"]"
    if isinstance(value, tuple):
        return octets(f"{{{value[0]},{value[1]}}}")
    return octets(str(value))


def _item(field: Field) -> bytes:
    return b"{" + octets(field.kind_name) + b"," + _value(field) + b"}"


def binary_term(data: bytes) -> bytes:
    """Return `<<"text">>`, or `<<0,10>>` unless all octets can be printed as Latin-1."""
    if not data:
        return b"<<>>"
    shown: list[bytes] = []
    for octet in data:
        if octet == ord('"') or octet == ord("\\"):
            shown.append(b"\\" + bytes([octet]))
        elif 32 <= octet <= 126 or octet >= 160:
            shown.append(bytes([octet]))
        elif octet in ESCAPES:
            shown.append(ESCAPES[octet])
        else:
            return b"<<" + octets(",".join([str(each) for each in data])) + b">>"
    return b'<<"' + b"".join(shown) + b'">>'


def float_term(value: float) -> str:
    """Return `1.5` or `1.0e100`: there is always a point, and no plus."""
    mantissa, mark, exponent = repr(value).partition("e")
    if "." not in mantissa:
        mantissa += ".0"
    return mantissa + (mark + str(int(exponent)) if mark else "")


def address_term(host: str) -> str:
    """Return an IP address as `{127,0,0,1}` or `{0,0,0,0,0,0,0,1}`; anything else stays as it is."""
    if host.count(".") == 3 and ":" not in host:
        return "{" + host.replace(".", ",") + "}"
    if ":" not in host:
        return host
    head, mark, tail = host.partition("%")[0].partition("::")  # without the zone
    groups = head.split(":") if head else []
    behind = tail.split(":") if tail else []
    for part in (groups, behind):
        if part and "." in part[-1]:  # the last 32 bits as an IPv4 address
            numbers = [int(each) for each in part.pop().split(".")]
            part.append(f"{(numbers[0] << 8) + numbers[1]:x}")
            part.append(f"{(numbers[2] << 8) + numbers[3]:x}")
    if mark:
        groups += ["0"] * (8 - len(groups) - len(behind)) + behind
    return "{" + ",".join([str(int(group, 16)) for group in groups]) + "}"
