"""Headers of the PROXY protocol: both versions, in pieces, and what is none."""

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supersoniq.server.proxy_protocol import V2_SIGNATURE, Header, ProxyError, read_header


def v2(command: int, family: int, addresses: bytes) -> bytes:
    return V2_SIGNATURE + struct.pack(">BBH", 0x20 | command, family, len(addresses)) + addresses


def v4(host: str, port: int) -> bytes:
    source, target = ipaddress.ip_address(host).packed, ipaddress.ip_address("10.0.0.9").packed
    return source + target + struct.pack(">HH", port, 5672)


def v6(host: str, port: int) -> bytes:
    source, target = ipaddress.ip_address(host).packed, ipaddress.ip_address("::9").packed
    return source + target + struct.pack(">HH", port, 5672)


HEADERS = [
    (b"PROXY TCP4 192.0.2.1 192.0.2.9 50000 5672\r\n", ("192.0.2.1", 50000)),
    (b"PROXY TCP6 2001:db8::1 ::9 50000 5672\r\n", ("2001:db8::1", 50000)),
    (b"PROXY UNKNOWN\r\n", None),
    (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None),
    (v2(1, 0x11, v4("192.0.2.1", 50000)), ("192.0.2.1", 50000)),
    (v2(1, 0x11, v4("192.0.2.1", 50000) + b"\x04\x00\x01x"), ("192.0.2.1", 50000)),
    (v2(1, 0x21, v6("2001:db8::1", 50000)), ("2001:db8::1", 50000)),
    (v2(0, 0x00, b""), None),
    (v2(0, 0x11, v4("192.0.2.1", 50000)), None),
    (v2(1, 0x31, bytes(216)), None),
]


@pytest.mark.parametrize(("header", "peer"), HEADERS)
def test_header_says_where_the_client_is(header: bytes, peer: tuple[str, int] | None) -> None:
    assert read_header(header) == Header(peer, len(header))
    assert read_header(header + b"AMQP\0\0\x09\x01") == Header(peer, len(header))


@pytest.mark.parametrize(("header", "peer"), HEADERS)
def test_header_may_come_in_pieces(header: bytes, peer: tuple[str, int] | None) -> None:
    for end in range(len(header)):
        assert read_header(header[:end]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"AMQP\0\0\x09\x01",
        b"GET / HTTP/1.1\r\n",
        b"PROXY TCP5 1.1.1.1 1.1.1.1 1 1\r\n",
        b"PROXY TCP4 1.1.1.1 1.1.1.1 1\r\n",
        b"PROXY TCP4 here there 1 1\r\n",
        b"PROXY TCP4 1.1.1.1 1.1.1.1 70000 1\r\n",
        b"PROXY TCP4 1.1.1.1 1.1.1.1 -1 1\r\n",
        b"PROXY \r\n",
        b"PROXY " + b"x" * 200,
        V2_SIGNATURE + b"\x11\x11\0\x0c" + bytes(12),
        V2_SIGNATURE + b"\x22\x11\0\x0c" + bytes(12),
        V2_SIGNATURE + b"\x21\x11\xff\xff",
        v2(1, 0x11, bytes(11)),
        v2(1, 0x21, bytes(12)),
    ],
)
def test_what_is_no_header_is_refused(data: bytes) -> None:
    with pytest.raises(ProxyError):
        read_header(data)


@given(st.sampled_from([b"PROXY ", V2_SIGNATURE, b""]), st.binary(max_size=300))
def test_any_octets_are_a_header_or_refused_or_not_complete(start: bytes, rest: bytes) -> None:
    try:
        header = read_header(start + rest)
    except ProxyError:
        header = None
    assert header is None or 0 < header.size_bytes <= len(start + rest)
