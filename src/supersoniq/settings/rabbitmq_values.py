"""Values of rabbitmq.conf, read with RabbitMQ's units; ValueError says what is expected."""

import os
import re

_UNITS = {
    "": 1, "k": 2**10, "m": 2**20, "g": 2**30, "kib": 2**10, "mib": 2**20, "gib": 2**30,
    "kb": 10**3, "mb": 10**6, "gb": 10**9, "t": 2**40, "tib": 2**40, "tb": 10**12,
}  # fmt: skip
# Levels that only syslog has are the nearest one.
_LEVELS = {
    "debug": "debug", "info": "info", "notice": "info", "warning": "warning", "error": "error",
    "critical": "critical", "alert": "critical", "emergency": "critical", "none": "critical",
}  # fmt: skip


def number(text: str) -> int:
    """A number of nothing in particular, or of what the key says: seconds, milliseconds, octets."""
    if not text.isascii() or not text.isdigit():
        raise ValueError("expected a number")
    return int(text)


def switch(text: str) -> bool:
    """Yes or no."""
    if text not in ("true", "false"):
        raise ValueError("expected true or false")
    return text == "true"


def size(text: str) -> str:
    """Octets, in which `MB` is a million and `MiB`, or `M`, is 1,048,576."""
    match = re.fullmatch(r"(\d+)([a-z]*)", text, re.IGNORECASE)
    if match is None or match[2].lower() not in _UNITS:
        raise ValueError("expected a size: 1500000, 512MiB, 2GB")
    return str(int(match[1]) * _UNITS[match[2].lower()])


def share(text: str) -> str:
    """A share of the memory: `0.4` is 40%."""
    return f"{_ratio(text) * 100:g}%"


def times_memory(text: str) -> str:
    """Octets, as so many times the memory of the machine."""
    return str(int(_ratio(text) * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")))


def _ratio(text: str) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", text) is None:
        raise ValueError("expected a number such as 0.4")
    return float(text)


def level(text: str) -> str:
    """The least urgent level that is logged."""
    if text not in _LEVELS:
        raise ValueError("expected one of " + ", ".join(_LEVELS))
    return _LEVELS[text]


def every_network(text: str) -> list[str]:
    """Where proxies are: everywhere, or nowhere."""
    return ["0.0.0.0/0", "::/0"] if switch(text) else []


def formatter(text: str) -> str:
    """How log lines look."""
    if text not in ("plaintext", "json"):
        raise ValueError("expected plaintext or json")
    return "console" if text == "plaintext" else "json"


def channels(text: str) -> int:
    """Channels per connection; 0 is no limit: here, the most there can be."""
    return number(text) or 65535


def frame(text: str) -> int:
    """Octets of the largest frame; 0 is no limit."""
    return number(text) or 2**31 - 1


def address(text: str) -> tuple[str | None, int]:
    """Host, None for every one, and port: `5672`, `127.0.0.1:5672`, `::1:5672`, `[::1]:5672`."""
    host, _, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 65535:
        raise ValueError("expected a port, or an address and a port: 5672, 127.0.0.1:5672")
    host = host.removeprefix("[").removesuffix("]")
    return host or None, int(port)
