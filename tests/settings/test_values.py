"""Kinds of values: what is understood, and that the rest is refused with what is expected."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supersoniq.config import ConfigError, load
from supersoniq.settings.values import memory_bytes, size_bytes


@pytest.mark.parametrize(
    ("limit", "size"),
    [
        ("40%", 400),
        ("0", 0),
        ("0%", 0),
        ("12.5%", 125),
        ("7", 7),
        ("2k", 2048),
        ("1.5 MiB", 1572864),
        ("2GB", 2**31),
    ],
)
def test_memory_limit_is_a_share_or_a_size(limit: str, size: int) -> None:
    assert memory_bytes(limit, 1000) == size


@pytest.mark.parametrize(
    ("size", "octets"), [("0", 0), ("50MB", 52428800), (" 1.5 k ", 1536), ("2TiB", 2**41)]
)
def test_size_is_bytes_or_has_a_unit(size: str, octets: int) -> None:
    assert size_bytes(size) == octets


@pytest.mark.parametrize("size", ["", "5%", "-1", "1 byte", "1" * 400])
def test_what_is_no_size_is_refused(size: str) -> None:
    with pytest.raises(ValueError, match="expected a size"):
        size_bytes(size)


@given(st.text(max_size=8))
def test_memory_limit_is_understood_or_refused_with_what_is_expected(text: str) -> None:
    said = "expected nothing else"
    try:
        memory_bytes(text, 1000)
    except ValueError as error:
        said = str(error)
    assert said.startswith("expected ")


def test_networks_are_addresses_or_ranges() -> None:
    settings = load({}, {"SUPERSONIQ_PROXY_PROTOCOL": "10.0.0.1, 10.1.2.3/8,::1"}).settings
    assert settings.proxy_protocol == ["10.0.0.1/32", "10.0.0.0/8", "::1/128"]
    with pytest.raises(ConfigError, match=r"expected addresses or networks: 10\.0\.0\.1, "):
        load({}, {"SUPERSONIQ_PROXY_PROTOCOL": "proxy.example.com"})
