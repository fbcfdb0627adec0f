"""How long a message asks to be delayed, and what it looks like when it is due.

The header `x-delay` is an integer of milliseconds; the header `x-deliver-at` counts where that is missing:
the time itself, in milliseconds since the epoch.
"""

from typing import Final

from mypy_extensions import i64

from supersoniq.amqp.errors import PreconditionFailed
from supersoniq.amqp.primitives import read_u32, text
from supersoniq.amqp.properties import (
    headers_property,
    property_at,
    property_flags,
    shortstr_property,
    with_headers,
)
from supersoniq.amqp.spec import FLAG_EXPIRATION, FLAG_HEADERS
from supersoniq.amqp.tables import INTEGER_KINDS, VALUE_BYTES, Table, field, field_end
from supersoniq.broker.exchanges.base import Exchange

DELAYED_KIND: Final = "x-delayed-message"
DELAYED_TYPE: Final = b"x-delayed-type"
X_DELAY: Final = b"x-delay"
X_DELIVER_AT: Final = b"x-deliver-at"
DELAY_MS_MAX: Final = 315_360_000_000  # ten years
SIGNED_KINDS: Final = b"bsIlL"
# Names of buckets are longer than those of their exchanges, and short strings, too.
NAME_BYTES_MAX: Final = 228


def underlying_kind(name: bytes, kind: str, arguments: Table) -> str:
    """Return the type by which an exchange routes; raises 406 if that is not said, or the name is too long.

    What is no exchange of the type `x-delayed-message` routes by its own type.
    """
    delays = arguments.get(b"x-delayed-exchange")
    if kind != DELAYED_KIND and (delays is None or delays.value is not True):
        return kind
    if len(name) > NAME_BYTES_MAX:
        raise PreconditionFailed(
            f"the name of a delayed exchange has at most {NAME_BYTES_MAX} octets, not {len(name)}"
        )
    if kind != DELAYED_KIND:
        return kind
    underlying = arguments.get(DELAYED_TYPE)
    if underlying is None or not underlying.is_string or underlying.octets() == DELAYED_KIND.encode():
        raise PreconditionFailed("Invalid argument, 'x-delayed-type' must be an existing exchange type")
    return text(underlying.octets())


def have_delay(exchange: Exchange, kind: str) -> None:
    """Have an exchange that routes by its underlying type be what was declared."""
    if kind == DELAYED_KIND:
        exchange.kind = kind
        exchange.delays = True


def check_same_delay(vhost: str, exchange: Exchange, arguments: Table) -> None:
    """Raise 406 unless an exchange that is declared again routes by the same type."""
    if exchange.kind != DELAYED_KIND:
        return
    had, given = exchange.arguments.get(DELAYED_TYPE), arguments.get(DELAYED_TYPE)
    if had is not None and given is not None and had.equals(given):
        return
    received = "none" if given is None or not given.is_string else f"'{text(given.octets())}'"
    current = "none" if had is None or not had.is_string else f"'{text(had.octets())}'"
    raise PreconditionFailed(
        f"inequivalent arg 'x-delayed-type' for exchange '{text(exchange.name)}' in vhost '{vhost}': "
        f"received {received} but current is {current}"
    )


def delay_of(header: bytes, now_ms: i64) -> i64:
    """Return by how many milliseconds a message with headers is to be delayed, 0 for not at all.

    Raises 406 for more than ten years.
    """
    if X_DELAY in header:
        at = _value_at(header, X_DELAY)
        if at >= 0:
            return _checked("x-delay", _integer(header, at), 0)
    if X_DELIVER_AT in header:
        at = _value_at(header, X_DELIVER_AT)
        if at >= 0:
            return _checked("x-deliver-at", _integer(header, at), now_ms)
    return 0


def _checked(name: str, value: int, since_ms: i64) -> i64:
    delay_ms = value - int(since_ms)
    if delay_ms > DELAY_MS_MAX:
        raise PreconditionFailed(f"invalid header '{name}': {{value_too_large,{value}}}")
    return i64(max(delay_ms, 0))


def _value_at(header: bytes, name: bytes) -> i64:
    """Return where the type octet of a header is, the last one of that name; -1 if there is none."""
    at = property_at(header, property_flags(header), FLAG_HEADERS)
    end = at + 4 + read_u32(header, at)
    at += 4
    found: i64 = -1
    while at < end:
        value_at = at + 1 + i64(header[at])
        if header[at + 1 : value_at] == name:
            found = value_at
        at = field_end(header, value_at, end)
    return found


def _integer(header: bytes, at: i64) -> int:
    """Return the integer whose type octet is at `at`, 0 if it is none."""
    kind = header[at]
    if kind not in INTEGER_KINDS:
        return 0
    stop = at + 1 + i64(VALUE_BYTES[kind])
    return int.from_bytes(header[at + 1 : stop], "big", signed=kind in SIGNED_KINDS)


def due_header(header: bytes) -> bytes:
    """Return the header of a delayed message that is due.

    Its delay is negative, so that it is not delayed again, and it has no BCC.
    """
    if X_DELAY in header:
        at = _value_at(header, X_DELAY)
        delay_ms = _integer(header, at) if at >= 0 else 0
        if delay_ms > 0:
            header = _with_delay(header, at, -delay_ms)
    if b"\x03BCC" in header:
        headers = headers_property(header)
        if headers.pop(b"BCC", None) is not None:
            header = with_headers(header, headers)
    return header


def _with_delay(header: bytes, at: i64, delay_ms: int) -> bytes:
    kind = header[at]
    if kind in SIGNED_KINDS:
        # The negative of what fits does, too.
        stop = at + 1 + i64(VALUE_BYTES[kind])
        return header[: at + 1] + delay_ms.to_bytes(int(stop - at - 1), "big", signed=True) + header[stop:]
    headers = headers_property(header)
    headers[X_DELAY] = field(delay_ms)
    return with_headers(header, headers)


def copies_of(header: bytes) -> list[bytes]:
    """Return the routing keys in the headers CC and BCC, whose types were checked."""
    keys: list[bytes] = []
    if b"\x02CC" in header or b"\x03BCC" in header:
        headers = headers_property(header)
        for name in (b"CC", b"BCC"):
            copies = headers.get(name)
            if copies is not None and isinstance(copies.value, list):
                keys.extend([item.octets() for item in copies.value if item.is_string])
    return keys


def expiration_of(header: bytes) -> i64:
    """Return the expiration of a message in milliseconds, which was checked; -1 for none."""
    expiration = shortstr_property(header, FLAG_EXPIRATION)
    return -1 if expiration is None else i64(int(expiration))
