"""Who a client says it is, and what it can take."""

import pytest
from tests.conformance.codec import Connection
from tests.session.script import Client, Node

from supersoniq.amqp.tables import table_of


@pytest.fixture
def client() -> Client:
    return Node().stranger()


def test_client_is_named_by_its_address_until_it_says_otherwise(client: Client) -> None:
    assert client.session.client.name == "127.0.0.1:50000"
    client.open(connection_name="worker 7")
    assert client.session.client.name == "127.0.0.1:50000 (worker 7)"


def test_name_that_is_no_text_is_ignored(client: Client) -> None:
    client.open(connection_name=7)
    assert client.session.client.name == "127.0.0.1:50000"


def test_name_that_is_not_utf8_can_be_shown(client: Client) -> None:
    client.open(connection_name=b"\xff")
    assert client.session.client.name == "127.0.0.1:50000 (\ufffd)"


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        (
            {
                "consumer_cancel_notify": True,
                "connection.blocked": True,
                "authentication_failure_close": True,
            },
            True,
        ),
        (
            {
                "consumer_cancel_notify": False,
                "connection.blocked": 1,
                "authentication_failure_close": "true",
            },
            False,
        ),
        ({}, False),
        (None, False),
        ("all", False),
    ],
)
def test_capability_counts_if_it_is_true(client: Client, capabilities: object, expected: bool) -> None:
    who = client.session.client
    who.introduce(table_of({"capabilities": capabilities}))
    assert (who.takes_cancel, who.takes_blocked, who.takes_authentication_failure) == (expected,) * 3


def test_client_without_capabilities_can_take_nothing_special(client: Client) -> None:
    who = client.session.client
    who.introduce({})
    assert (who.takes_cancel, who.takes_blocked, who.takes_authentication_failure) == (False,) * 3


def test_client_is_told_once_that_it_is_blocked_and_once_that_it_is_not() -> None:
    client = Node().client()
    who = client.session.client
    who.unblock()
    for _ in range(2):
        who.block()
    client.node.end_turn()
    client << Connection.blocked()
    assert client.is_quiet()
    for _ in range(2):
        who.unblock()
    client.node.end_turn()
    client << Connection.unblocked()
    assert client.is_quiet()


def test_user_and_vhost_are_known_after_opening() -> None:
    who = Node().client().session.client
    assert who.user == "guest"
    assert who.vhost is not None
    assert who.vhost.name == "/"
