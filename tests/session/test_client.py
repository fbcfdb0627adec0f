"""Who a client says it is, and what it can take."""

import pytest
from tests.conformance.codec import PROTOCOL_HEADER, Channel, Connection
from tests.session.script import Client, Node

from supersoniq.amqp.tables import table_of
from supersoniq.auth.peer import Encryption, PeerCertificate


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


# Limits


def refused(node: Node) -> str:
    """What answers a client that asks to open the virtual host."""
    client = node.stranger()
    client >> PROTOCOL_HEADER
    client << Connection.start()
    client.login()
    client << Connection.tune()
    client >> Connection.tune_ok(channel_max=2047, frame_max=131_072)
    client >> Connection.open(virtual_host="/")
    close = client << Connection.close(reply_code=530, class_id=10, method_id=40)
    text: str = close.reply_text
    return text


def counts(node: Node) -> tuple[int, int, int]:
    """Connections of the virtual host, connections and channels of the user."""
    user = node.context.user_limits("guest")
    return int(node.vhost.limits.connection_count), int(user.connection_count), int(user.channel_count)


def test_virtual_host_has_no_room_for_another_connection() -> None:
    node = Node()
    node.vhost.limits.put({"max-connections": 1})
    client = node.client()
    assert refused(node) == (
        "NOT_ALLOWED - access to vhost '/' refused for user 'guest': connection limit (1) is reached"
    )
    client >> Connection.close()
    client << Connection.close_ok()
    node.client()


def test_user_may_have_no_other_connection() -> None:
    node = Node()
    node.context.user_limits("guest").put({"max-connections": 1})
    client = node.client()
    assert (
        refused(node)
        == "NOT_ALLOWED - connection refused for user 'guest': user connection limit (1) is reached"
    )
    assert counts(node) == (1, 1, 0)
    client.session.lost()
    node.client()


def test_channels_of_all_connections_count_for_the_user() -> None:
    node = Node()
    node.context.user_limits("guest").put({"max-channels": 2})
    first = node.channel()
    second = node.channel()
    third = node.client()
    third.feed(b"\x01\x00\x01\x00\x00\x00\x05\x00\x14\x00\x0a\x00\xce")
    close = third << Connection.close(reply_code=530, class_id=0, method_id=0)
    assert close.reply_text == (
        "NOT_ALLOWED - number of channels opened for user 'guest' "
        "has reached the maximum allowed user limit of (2)"
    )
    second >> Channel.close()
    second << Channel.close_ok()
    assert counts(node) == (2, 2, 1)
    first.client.channel(2)
    assert counts(node) == (2, 2, 2)


def test_connection_counts_until_it_is_over_and_only_once() -> None:
    node = Node()
    client = node.client()
    client.channel(1)
    client.channel(2)
    assert counts(node) == (1, 1, 2)
    client >> Connection.close()
    assert counts(node) == (0, 0, 0)
    client.session.lost()
    assert counts(node) == (0, 0, 0)


def test_connection_that_fails_counts_no_more() -> None:
    node = Node()
    client = node.client()
    client.channel(1)
    client >> b"\x09\x00\x00\x00\x00\x00\x00\xce"
    client.session.lost()
    assert counts(node) == (0, 0, 0)


def test_client_has_the_certificate_that_tls_verified(client: Client) -> None:
    assert client.session.client.peer_certificate is None
    certificate = PeerCertificate("CN=ann", "CN=ca", "", ["ann"], [], [], [], [])
    client.session.client.encryption = Encryption("tlsv1.3", "any", "aes_256_gcm", "aead", certificate)
    assert client.session.client.peer_certificate is certificate
