"""Values of rabbitmq.conf: the sizes are those that RabbitMQ 3.10 has made of them."""

from collections.abc import Callable

import pytest

from supersoniq.settings.rabbitmq_values import (
    address,
    channels,
    formatter,
    frame,
    level,
    number,
    share,
    size,
    switch,
    times_memory,
)


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("1k", 1024),
        ("1K", 1024),
        ("1kB", 1000),
        ("1KB", 1000),
        ("1kiB", 1024),
        ("1m", 1048576),
        ("1MB", 1000000),
        ("1MiB", 1048576),
        ("1G", 1073741824),
        ("1GB", 1000000000),
        ("1GiB", 1073741824),
        ("100", 100),
    ],
)
def test_size_has_the_units_of_rabbitmq(text: str, octets: int) -> None:
    assert size(text) == str(octets)


def test_shares_of_memory_are_factors() -> None:
    assert (share("0.4"), share("1"), share("0.333")) == ("40%", "100%", "33.3%")
    assert int(times_memory("2.0")) == 2 * int(times_memory("1.0")) > 0


def test_zero_is_no_limit() -> None:
    assert (channels("0"), channels("128")) == (65535, 128)
    assert (frame("0"), frame("8192")) == (2147483647, 8192)


def test_addresses_may_be_ports_alone() -> None:
    assert address("5672") == (None, 5672)
    assert address("127.0.0.1:5672") == ("127.0.0.1", 5672)
    assert address(":::5672") == ("::", 5672)
    assert address("[::1]:5672") == ("::1", 5672)


def test_levels_of_syslog_are_the_nearest_of_ours() -> None:
    assert (level("notice"), level("alert"), level("none")) == ("info", "critical", "critical")
    assert (formatter("plaintext"), formatter("json"), switch("true")) == ("console", "json", True)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (number, "ten"),
        (number, "-1"),
        (number, "1.5"),
        (switch, "yes"),
        (size, "1.5GB"),
        (size, "1 GB"),
        (size, "1b"),
        (share, "40%"),
        (share, "-1"),
        (times_memory, "much"),
        (level, "loud"),
        (formatter, "xml"),
        (address, "localhost"),
        (address, "localhost:"),
        (address, "1.1.1.1:70000"),
    ],
)
def test_what_is_none_is_refused_with_what_is_expected(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected "):
        read(text)
