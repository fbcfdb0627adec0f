"""AMQP URIs."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supersoniq.client.address import Address, parse_url


def test_what_is_left_out_is_the_default() -> None:
    assert parse_url("amqp://") == Address("127.0.0.1", 5672, "guest", "guest", "/")


def test_empty_vhost_is_the_default_one() -> None:
    assert (
        parse_url("amqp://h/").vhost == parse_url("amqp://h").vhost == parse_url("amqp://h/%2F").vhost == "/"
    )


@given(st.text(min_size=1), st.text(), st.text(min_size=1), st.integers(0, 65535))
def test_every_part_comes_back(user: str, password: str, vhost: str, port: int) -> None:
    quoted = [quote(part, safe="") for part in (user, password, vhost)]
    url = f"amqp://{quoted[0]}:{quoted[1]}@host:{port}/{quoted[2]}"
    assert parse_url(url) == Address("host", port, user, password, vhost)


def test_ipv6_address_is_shown_in_brackets() -> None:
    assert str(parse_url("amqp://[::1]:5673")) == "[::1]:5673"


def test_password_is_not_shown() -> None:
    assert "secret" not in str(parse_url("amqp://user:secret@host"))


@pytest.mark.parametrize(
    "url", ["", "host:5672", "http://host", "amqps://host", "amqp://h:x", "amqp://h/v?heartbeat=1"]
)
def test_what_is_not_understood_is_refused_with_the_uri(url: str) -> None:
    with pytest.raises(ValueError, match="is no AMQP URI") as raised:
        parse_url(url)
    assert repr(url) in str(raised.value)
