"""Start, Tune, Open: what leads to an open connection, and how each wrong step is answered."""

import pytest
from tests.conformance import codec
from tests.conformance.codec import PROTOCOL_HEADER, Channel, Connection
from tests.session.script import Client, Node, header_payload

from supersoniq.auth.peer import Encryption, PeerCertificate
from supersoniq.session.connection import REFUSED_TICKS
from supersoniq.session.context import Limits
from supersoniq.session.held_frames import HELD_BYTES_MAX
from supersoniq.session.mechanisms import COMMON_NAME, CertificateNames

CERTIFICATE = PeerCertificate("CN=ann,O=Example", "CN=ca", "", ["ann"], [], [], [], [])


@pytest.fixture
def client() -> Client:
    return Node().stranger()


def started(client: Client) -> Client:
    client >> PROTOCOL_HEADER
    client << Connection.start()
    return client


def tuned(client: Client) -> Client:
    started(client).login()
    client << Connection.tune()
    return client


def test_start_names_version_mechanisms_and_locale(client: Client) -> None:
    client >> PROTOCOL_HEADER
    start = client << Connection.start(version_major=0, version_minor=9)
    assert start.mechanisms == b"PLAIN AMQPLAIN"
    assert start.locales == b"en_US"
    assert start.server_properties == {"product": "test"}


def test_tune_proposes_the_limits_of_the_node() -> None:
    client = Node(Limits(channel_max=7, frame_max_bytes=8192, heartbeat_seconds=11)).stranger()
    started(client).login()
    client << Connection.tune(channel_max=7, frame_max=8192, heartbeat=11)


def test_connection_opens(client: Client) -> None:
    client.open()
    assert client.is_quiet()
    assert not client.transport.is_closed


def test_whole_handshake_may_come_in_one_piece(client: Client) -> None:
    data = PROTOCOL_HEADER
    for method in (
        Connection.start_ok(mechanism="PLAIN", response=b"\0guest\0guest", locale="en_US"),
        Connection.tune_ok(channel_max=2047, frame_max=131072),
        Connection.open(virtual_host="/"),
    ):
        data += codec_frame(method)
    client.feed(data)
    assert client.method_names() == ["connection.start", "connection.tune", "connection.open_ok"]


def codec_frame(method: codec.Method, channel: int = 0) -> bytes:
    payload = codec.encode_method(method)
    return b"\x01" + channel.to_bytes(2) + len(payload).to_bytes(4) + payload + b"\xce"


def test_amqplain_is_accepted(client: Client) -> None:
    response = codec.table({"LOGIN": "ann", "PASSWORD": "ann"})[4:]
    started(client).login(mechanism="AMQPLAIN", response=response)
    client << Connection.tune()


def test_authorization_identity_of_plain_is_ignored(client: Client) -> None:
    started(client).login(response=b"somebody\0ann\0ann")
    client << Connection.tune()


def test_unknown_mechanism_is_refused(client: Client) -> None:
    started(client).login(mechanism="EXTERNAL")
    close = client << Connection.close(reply_code=503)
    assert "EXTERNAL" in close.reply_text


@pytest.mark.parametrize("response", [b"\0guest\0wrong", b"\0nobody\0guest", b"\0\0", b"\0\xff\0\xff"])
def test_wrong_login_is_refused_with_403_where_the_client_can_take_it(
    client: Client, response: bytes
) -> None:
    started(client).login(response=response)
    close = client << Connection.close(reply_code=403, class_id=0, method_id=0)
    assert close.reply_text.startswith(
        "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN"
    )


def test_wrong_login_is_left_waiting_and_dropped_where_the_client_cannot(client: Client) -> None:
    started(client).login(response=b"\0guest\0wrong", capabilities={})
    client.node.tick(REFUSED_TICKS - 1)
    assert client.is_quiet()
    assert not client.transport.is_aborted
    client.node.tick()
    assert client.is_quiet()
    assert client.transport.is_aborted


def test_refused_client_is_not_listened_to(client: Client) -> None:
    started(client).login(response=b"\0guest\0wrong", capabilities={})
    client.login()
    assert client.is_quiet()


def test_guest_is_refused_from_elsewhere() -> None:
    client = Node().stranger(from_loopback=False)
    started(client).login()
    client << Connection.close(reply_code=403)


def held(client: Client) -> Client:
    """A client whose login is not decided yet."""
    client.node.logins.is_holding = True
    return started(client).login()


def decide(client: Client) -> None:
    for login in client.node.logins.held:
        client.node.logins.decide(login)
    client.node.end_turn()


def test_answer_to_a_login_may_come_later(client: Client) -> None:
    held(client)
    assert client.is_quiet()
    decide(client)
    client << Connection.tune()


def test_what_comes_before_the_answer_waits_for_it(client: Client) -> None:
    held(client)
    for method in (Connection.tune_ok(channel_max=2047, frame_max=131072), Connection.open(virtual_host="/")):
        client >> method
    client.feed(codec_frame(Channel.open(), 1) + b"\x02\x00\x01\x00\x00\x00\x00\xce")
    assert client.is_quiet()
    decide(client)
    names = ["connection.tune", "connection.open_ok", "channel.open_ok", "connection.close"]
    assert client.method_names() == names  # the content came without a method


def test_content_in_the_handshake_is_an_error_after_the_answer_too(client: Client) -> None:
    held(client).feed(b"\x03\x00\x01\x00\x00\x00\x00\xce")
    decide(client)
    client << Connection.tune()
    client << Connection.close(reply_code=505)


def test_late_refusal_closes(client: Client) -> None:
    client.node.logins.is_holding = True
    started(client).login(response=b"\0guest\0wrong")
    client >> Connection.tune_ok(channel_max=2047, frame_max=131072)
    decide(client)
    client << Connection.close(reply_code=403, class_id=0, method_id=0)
    assert client.is_quiet()


def test_late_refusal_leaves_a_client_waiting_that_cannot_take_it(client: Client) -> None:
    client.node.logins.is_holding = True
    started(client).login(response=b"\0guest\0wrong", capabilities={})
    client >> Connection.close(reply_code=200)
    decide(client)
    assert client.is_quiet()
    client.node.tick(REFUSED_TICKS)
    assert client.transport.is_aborted


def test_handshake_timeout_holds_while_a_login_is_undecided() -> None:
    node = Node(Limits(handshake_ticks=5))
    client = held(node.stranger())
    node.tick(5)
    assert client.transport.is_aborted


def test_answer_for_a_client_that_is_gone_is_no_news(client: Client) -> None:
    held(client).session.lost()
    assert client.node.logins.held[0].is_over
    decide(client)
    assert client.is_quiet()


def test_who_sends_a_lot_before_the_answer_is_not_read(client: Client) -> None:
    held(client)
    data = codec_frame(Connection.tune_ok(channel_max=2047, frame_max=131072))
    client.feed(data * (HELD_BYTES_MAX // len(data)))
    assert not client.transport.is_reading
    decide(client)
    assert client.transport.is_reading
    client << Connection.tune()
    client << Connection.close(reply_code=504)


def test_frame_that_is_none_is_refused_while_a_login_is_undecided(client: Client) -> None:
    held(client).feed(b"\x07" + bytes(7))
    client << Connection.close(reply_code=501)
    decide(client)
    assert client.is_quiet()


def test_refusal_is_logged_with_user_address_mechanism_and_reason(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    started(client).login(response=b"\0ann\nfake\0geheim")
    client << Connection.close(reply_code=403)
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith("connection ")
    assert line.endswith("login of user 'ann\\nfake' by PLAIN refused: there is no such user")
    assert "geheim" not in caplog.text


def certified(client: Client) -> Client:
    client.session.client.encryption = Encryption("tlsv1.3", "any", "aes_256_gcm", "aead", CERTIFICATE)
    client.node.context.certificate_names = CertificateNames(COMMON_NAME)
    return client


def test_certificate_logs_in(client: Client) -> None:
    certified(client) >> PROTOCOL_HEADER
    assert (client << Connection.start()).mechanisms == b"PLAIN AMQPLAIN EXTERNAL"
    client.login(mechanism="EXTERNAL", response=b"")
    client << Connection.tune()
    assert client.session.client.user == "ann"


def test_certificate_of_a_stranger_is_refused(client: Client) -> None:
    client.node.context.certificate_names = CertificateNames()
    certified(client).node.context.certificate_names = CertificateNames()
    started(client).login(mechanism="EXTERNAL", response=b"guest")
    close = client << Connection.close(reply_code=403)
    assert "authentication mechanism EXTERNAL" in close.reply_text


@pytest.mark.parametrize(
    ("tuning", "text"),
    [
        (
            {"channel_max": 2048},
            "negotiated channel_max = 2048 is higher than the maximum allowed value (2047)",
        ),
        (
            {"channel_max": 0},
            "negotiated channel_max = no limit is higher than the maximum allowed value (2047)",
        ),
        (
            {"frame_max": 131073},
            "negotiated frame_max = 131073 is higher than the maximum allowed value (131072)",
        ),
        (
            {"frame_max": 0},
            "negotiated frame_max = no limit is higher than the maximum allowed value (131072)",
        ),
        ({"frame_max": 4095}, "negotiated frame_max = 4095 is lower than the minimum allowed value (4096)"),
    ],
)
def test_tuning_out_of_bounds_is_not_allowed(client: Client, tuning: dict[str, int], text: str) -> None:
    given = {"channel_max": 2047, "frame_max": 131072, "heartbeat": 0} | tuning
    tuned(client) >> Connection.tune_ok(**given)
    close = client << Connection.close(reply_code=530)
    assert close.reply_text == f"NOT_ALLOWED - {text}"


@pytest.mark.parametrize("tuning", [{"frame_max": 4096}, {"channel_max": 1}, {"heartbeat": 65535}])
def test_tuning_at_the_bounds_is_accepted(client: Client, tuning: dict[str, int]) -> None:
    given = {"channel_max": 2047, "frame_max": 131072, "heartbeat": 0} | tuning
    tuned(client) >> Connection.tune_ok(**given)
    client >> Connection.open(virtual_host="/")
    client << Connection.open_ok()


def test_node_without_limit_takes_a_client_without_limit() -> None:
    client = Node(Limits(channel_max=0)).stranger()
    tuned(client) >> Connection.tune_ok(channel_max=0, frame_max=131072)
    client >> Connection.open(virtual_host="/")
    client << Connection.open_ok()
    client.channel(65535)


def test_frame_above_the_agreed_limit_is_refused(client: Client) -> None:
    tuned(client) >> Connection.tune_ok(channel_max=2047, frame_max=4096)
    client >> b"\x01\x00\x00\x00\x00\x10\x01\x00"
    client << Connection.close(reply_code=501)


def test_unknown_vhost_is_not_allowed(client: Client) -> None:
    tuned(client) >> Connection.tune_ok(channel_max=2047, frame_max=131072)
    client >> Connection.open(virtual_host="other")
    close = client << Connection.close(reply_code=530, class_id=10, method_id=40)
    assert close.reply_text == "NOT_ALLOWED - vhost other not found"


def test_methods_out_of_order_are_a_channel_error(client: Client) -> None:
    started(client) >> Connection.open(virtual_host="/")
    close = client << Connection.close(reply_code=504)
    assert "starting" in close.reply_text


def test_channel_methods_have_to_wait(client: Client) -> None:
    started(client) >> b"\x01\x00\x01\x00\x00\x00\x05\x00\x14\x00\x0a\x00\xce"
    client << Connection.close(reply_code=504)


def test_content_has_to_wait(client: Client) -> None:
    payload = header_payload(0)
    started(client) >> b"\x02\x00\x01" + len(payload).to_bytes(4) + payload + b"\xce"
    client << Connection.close(reply_code=505)


def test_method_cut_short_is_a_frame_error(client: Client) -> None:
    started(client) >> b"\x01\x00\x00\x00\x00\x00\x05\x00\x0a\x00\x0b\x00\xce"
    client << Connection.close(reply_code=501)


def test_client_may_close_instead(client: Client) -> None:
    tuned(client) >> Connection.close(reply_code=200)
    client << Connection.close_ok()
    assert client.transport.is_closed


@pytest.mark.parametrize("sent", [b"", b"AMQP", PROTOCOL_HEADER])
def test_client_that_takes_too_long_is_dropped(sent: bytes) -> None:
    node = Node(Limits(handshake_ticks=5))
    client = node.stranger().feed(sent)
    node.tick(4)
    assert not client.transport.is_aborted
    node.tick()
    assert client.transport.is_aborted


def test_open_connection_is_not_dropped_for_the_handshake_timeout() -> None:
    node = Node(Limits(handshake_ticks=2))
    client = node.client()
    node.tick(50)
    assert not client.transport.is_aborted
    client.channel()
