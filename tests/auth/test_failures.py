"""Failures of one address are slowed, and forgotten; others are not touched."""

import pytest

from supersoniq.auth.failures import (
    ADDRESSES_MAX,
    DELAY_SECONDS_MAX,
    FORGOTTEN_SECONDS,
    FREE_MAX,
    Failures,
    network_of,
)


def test_first_failures_are_free_and_the_rest_takes_ever_longer() -> None:
    failures = Failures()
    delays = [failures.failed("10.0.0.1", 0.0) for _ in range(FREE_MAX + 30)]
    assert delays[: FREE_MAX + 5] == [0.0] * FREE_MAX + [0.25, 0.5, 1.0, 2.0, 4.0]
    assert set(delays[FREE_MAX + 5 :]) == {DELAY_SECONDS_MAX}


def test_other_addresses_are_not_slowed() -> None:
    failures = Failures()
    for _ in range(100):
        failures.failed("10.0.0.1", 0.0)
    assert failures.failed("10.0.0.2", 0.0) == 0.0


def test_address_is_forgotten_after_a_while() -> None:
    failures = Failures()
    for _ in range(FREE_MAX):
        failures.failed("10.0.0.1", 0.0)
    assert failures.failed("10.0.0.1", FORGOTTEN_SECONDS) > 0
    assert failures.failed("10.0.0.1", 2 * FORGOTTEN_SECONDS + 1) == 0.0
    failures.failed("10.0.0.2", 4 * FORGOTTEN_SECONDS)
    assert len(failures) == 1


def test_table_is_bounded_and_keeps_the_latest() -> None:
    failures = Failures()
    for _ in range(FREE_MAX):
        failures.failed("first", 0.0)
    for number in range(ADDRESSES_MAX + 10):
        failures.failed(f"host {number}", 1.0)
    assert len(failures) == ADDRESSES_MAX
    assert failures.failed("first", 1.0) == 0.0


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("2001:db8:1:2::9", "2001:0db8:0001:0002"),
        ("fe80::1%eth0", "fe80:0000:0000:0000"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("local socket", "local socket"),
        ("no:address", "no:address"),
    ],
)
def test_hosts_of_one_ipv6_network_count_together(host: str, network: str) -> None:
    assert network_of(host) == network
