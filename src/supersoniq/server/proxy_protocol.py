"""The header of the PROXY protocol, versions 1 and 2: where a client is that comes through a proxy."""

import ipaddress
from typing import NamedTuple

V2_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V1_SIGNATURE = b"PROXY "
V1_BYTES_MAX = 107
# Room for addresses and what proxies like to add; a header of 64 KiB has other intentions.
V2_BYTES_MAX = 4096

Peer = tuple[str, int]


class ProxyError(Exception):
    """This is no header; the text is for the log."""


class Header(NamedTuple):
    """What a header says; `peer` is None where the proxy speaks for itself, or does not know."""

    peer: Peer | None
    size_bytes: int


def read_header(data: bytes) -> Header | None:
    """The header at the beginning of `data`, None if it is not complete; raises ProxyError.

    v1   PROXY TCP4 192.0.2.1 192.0.2.9 50000 5672 CR LF
    v2   signature (12) | version, command (4 bits each) | family (8) | length (16) | addresses | more
    """
    if data.startswith(V1_SIGNATURE):
        return _v1(data)
    if data.startswith(V2_SIGNATURE):
        return _v2(data)
    if V1_SIGNATURE.startswith(data) or V2_SIGNATURE.startswith(data):
        return None
    raise ProxyError(f"expected a header of the PROXY protocol, found {data[:12]!r}")


def _v1(data: bytes) -> Header | None:
    end = data.find(b"\r\n", 0, V1_BYTES_MAX)
    if end < 0:
        if len(data) >= V1_BYTES_MAX:
            raise ProxyError("the header of the PROXY protocol does not end")
        return None
    words = data[:end].decode("latin-1").split(" ")
    if words[1] == "UNKNOWN":
        return Header(None, end + 2)
    if words[1] not in ("TCP4", "TCP6") or len(words) != 6:
        raise ProxyError(f"the header of the PROXY protocol makes no sense: {data[:end]!r}")
    try:
        host = ipaddress.ip_address(words[2])
        if not words[4].isdecimal() or int(words[4]) > 65535:
            raise ValueError("no port")
    except ValueError:
        raise ProxyError(f"the header of the PROXY protocol makes no sense: {data[:end]!r}") from None
    return Header((str(host), int(words[4])), end + 2)


def _v2(data: bytes) -> Header | None:
    if len(data) < 16:
        return None
    version, command = data[12] >> 4, data[12] & 15
    length = int.from_bytes(data[14:16])
    if version != 2 or command > 1 or length > V2_BYTES_MAX:
        raise ProxyError(f"the header of the PROXY protocol makes no sense: {data[:16]!r}")
    size = 16 + length
    if len(data) < size:
        return None
    address_bytes = {0x11: 4, 0x21: 16}.get(data[13], 0)  # TCP over IPv4 or IPv6
    if command == 0 or address_bytes == 0:
        return Header(None, size)
    if length < 2 * address_bytes + 4:
        raise ProxyError("the header of the PROXY protocol is too short for its addresses")
    host = ipaddress.ip_address(data[16 : 16 + address_bytes])
    at = 16 + 2 * address_bytes
    return Header((str(host), int.from_bytes(data[at : at + 2])), size)
