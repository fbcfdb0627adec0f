"""Lines of the log have who it is about as fields."""

import logging
from collections.abc import Callable

import pytest
from tests.conformance.codec import PROTOCOL_HEADER, Connection, Queue
from tests.session.script import Node

FIELDS = ("connection", "user", "vhost", "channel", "reply_code")


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def last(caplog: pytest.LogCaptureFixture) -> Callable[[], tuple[str, dict[str, object]]]:
    """The text of the last line, without its beginning, and its fields."""
    caplog.set_level(logging.INFO, "supersoniq")

    def found() -> tuple[str, dict[str, object]]:
        record = caplog.records[-1]
        fields = {name: vars(record)[name] for name in FIELDS if name in vars(record)}
        return record.getMessage().partition(": ")[2], fields

    return found


Last = Callable[[], tuple[str, dict[str, object]]]


def test_open_connection_has_user_and_vhost(node: Node, last: Last) -> None:
    client = node.client()
    path = client.session.client.path
    assert last() == ("user guest opened vhost /", {"connection": path, "user": "guest", "vhost": "/"})


def test_closed_channel_has_its_number_and_code(node: Node, last: Last) -> None:
    channel = node.client().channel(7)
    path = channel.client.session.client.path
    channel >> Queue.declare(queue="missing", passive=True)
    assert last() == (
        "channel 7 closed: NOT_FOUND - no queue 'missing' in vhost '/'",
        {"connection": path, "user": "guest", "vhost": "/", "channel": 7, "reply_code": 404},
    )


def test_closed_connection_has_its_code(node: Node, last: Last) -> None:
    client = node.client()
    client >> Connection.tune_ok(channel_max=0, frame_max=0, heartbeat=0)
    text, fields = last()
    assert text.startswith("closed: CHANNEL_ERROR")
    assert fields["reply_code"] == 504


def test_refused_login_has_the_user_that_was_named(node: Node, last: Last) -> None:
    client = node.stranger() >> PROTOCOL_HEADER
    client << Connection.start()
    client.login(response=b"\0ann\0wrong")
    text, fields = last()
    assert text.startswith("login of user 'ann' by PLAIN refused: ")
    assert fields == {"connection": client.session.client.path, "user": "ann"}


def test_stranger_has_no_more_than_an_address(node: Node, last: Last) -> None:
    client = node.stranger() >> b"GET / HTTP/1.1\r\n"
    assert last() == ("no AMQP 0-9-1 header but b'GET / HT'", {"connection": client.session.client.path})


def test_lost_connection_and_a_bug_have_who_it_was(node: Node, last: Last) -> None:
    client = node.client()
    client.session.lost()
    text, fields = last()
    assert (text, fields["user"]) == ("lost without a close", "guest")
    try:
        raise KeyError("a bug")
    except KeyError:
        client.session.crash()
    text, fields = last()
    assert (text, fields["user"]) == ("internal error, please report it", "guest")
