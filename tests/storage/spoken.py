"""All that was ever published in a simulation, by number; what was dead-lettered has a number of its own."""

from __future__ import annotations

from typing import NamedTuple

from tests.fakes import NO_PROPERTIES

from supersoniq.broker.message import Message

RECORD_BYTES = 40  # of a message, beside address, header and body
HEADERS = [NO_PROPERTIES, NO_PROPERTIES[:-2] + b"\x10\x00\x02", NO_PROPERTIES[:-2] + b"\x80\x00\x01x"]
REJECTED = b"rejected"


def header_of(priority: int, expiration_ms: int | None) -> bytes:
    """A header with these properties, where they are not 0 and None."""
    flags, values = 0, b""
    if priority:
        flags, values = flags | 1 << 11, bytes([priority])
    if expiration_ms is not None:
        digits = b"%d" % expiration_ms
        flags, values = flags | 1 << 8, values + bytes([len(digits)]) + digits
    return NO_PROPERTIES[:-2] + flags.to_bytes(2, "big") + values


class Spoken(NamedTuple):
    """What was published under a number; `origin` is the number in the body: that of the first publish."""

    address: bytes
    header: bytes
    size: int
    priority: int
    origin: int
    deaths: tuple[tuple[bytes, bytes], ...]  # queue and reason, the latest first

    def dead(self, queue: bytes, reason: bytes) -> tuple[tuple[bytes, bytes], ...]:
        """Its deaths, with one more."""
        return ((queue, reason), *[death for death in self.deaths if death != (queue, reason)])


def is_cycle(deaths: tuple[tuple[bytes, bytes], ...], queue: bytes) -> bool:
    """Whether a message with these deaths is not for a queue: nobody has rejected it since it died there."""
    for died_in, reason in deaths:
        if reason == REJECTED:
            return False
        if died_in == queue:
            return True
    return False


class Messages:
    """The messages; bodies are made when they are needed."""

    def __init__(self) -> None:
        self._spoken: dict[int, Spoken] = {}
        self._numbers: dict[tuple[int, bytes, bytes], int] = {}
        self._last = 0

    def __getitem__(self, number: int) -> Spoken:
        return self._spoken[number]

    def new(
        self, address: bytes, header: bytes, priority: int, size: int, persistent: bool
    ) -> tuple[int, Message]:
        """Make a message with a body of about this size."""
        self._last += 1
        number = self._last
        self._add(number, Spoken(address, header, size, priority, number, ()))
        return number, Message(address, header, _body(number, size), persistent)

    def died(
        self, number: int, address: bytes, header: bytes, deaths: tuple[tuple[bytes, bytes], ...]
    ) -> int:
        """Return the number of what a message is now that it has died and goes elsewhere."""
        spoken = self._spoken[number]
        known = self._numbers.get((spoken.origin, address, header))
        if known is not None:
            return known
        self._last += 1
        self._add(self._last, spoken._replace(address=address, header=header, deaths=deaths))
        return self._last

    def _add(self, number: int, spoken: Spoken) -> None:
        self._spoken[number] = spoken
        self._numbers[(spoken.origin, spoken.address, spoken.header)] = number

    def body_bytes(self, number: int) -> int:
        """Return how long the body is."""
        spoken = self._spoken[number]
        return len(_body(spoken.origin, 0)) + spoken.size

    def size_of(self, number: int) -> int:
        """Return how many octets a message takes in a file."""
        spoken = self._spoken[number]
        return RECORD_BYTES + len(spoken.address) + len(spoken.header) + self.body_bytes(number)

    def number_of(self, address: bytes, header: bytes, body: bytes) -> int:
        """Return the number; AssertionError if this was never published."""
        digits = body[:20].partition(b"|")[0]
        origin = int(digits) if digits.isdigit() else 0
        spoken = self._spoken.get(origin)
        assert spoken is not None, f"message {origin} was never published"
        number = self._numbers.get((origin, address, header), 0)
        assert number, f"message {origin} has another head"
        assert body == _body(origin, spoken.size), f"message {origin} has another body"
        return number


def _body(number: int, size: int) -> bytes:
    return b"%d|" % number + bytes([number & 255]) * size
