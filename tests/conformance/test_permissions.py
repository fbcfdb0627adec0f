"""What permissions allow and refuse: each method, with none, each single one, each two, and all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.conformance.codec import IDS, Basic, Channel, Connection, Exchange, Method, Queue
from tests.conformance.conftest import ORACLE_URL
from tests.conformance.people import VHOST, OraclePeople, OwnPeople, People
from tests.conformance.permission_rows import MADE, ROWS, THERE, Row
from tests.conformance.wire import Wire, WireChannel

# Users by what they may do: c is configure, w is write, r is read.
USERS = ["none", "c", "w", "r", "cw", "cr", "wr", "cwr"]
WORDS = {"c": "configure", "w": "write", "r": "read"}


def permissions_of(user: str) -> set[str]:
    return set() if user == "none" else {WORDS[letter] for letter in user}


@pytest.fixture(scope="module")
def people() -> Iterator[People]:
    """Users with every set of permissions."""
    people: People = OraclePeople(ORACLE_URL) if ORACLE_URL else OwnPeople()
    for user in USERS:
        people.put_user(user)
        patterns = [".*" if word in permissions_of(user) else "" for word in WORDS.values()]
        people.put_permission(user, *patterns)
    yield people
    people.close()


@pytest.fixture(scope="module")
def admin(people: People) -> Iterator[WireChannel]:
    """A channel of guest, who may do everything."""
    wire = Wire.opened(people.admin_url)
    yield wire.channel()
    wire.close()


@pytest.fixture(scope="module")
def wires(people: People) -> Iterator[dict[str, Wire]]:
    """A connection for each user."""
    wires = {user: Wire.opened(people.url(user)) for user in USERS}
    yield wires
    for wire in wires.values():
        wire.close()


def answer_to(ch: WireChannel, row: Row) -> str:
    """The close that came for what a row does, or nothing."""
    for method in (*row.before, row.act, Basic.qos()):
        ch >> method
    while (answer := ch.next()).name != "basic.qos_ok":
        if answer.name == "channel.close":
            ch >> Channel.close_ok()
            assert (answer.class_id, answer.method_id) == row.ids
            return f"{answer.reply_code} {answer.reply_text}"
    ch >> Channel.close()
    while ch.next().name != "channel.close_ok":
        pass
    return ""


@pytest.mark.parametrize("row", [pytest.param(row, id=row.label) for row in ROWS])
def test_method_is_refused_to_who_may_not(
    people: People, admin: WireChannel, wires: dict[str, Wire], row: Row
) -> None:
    outcomes, expected = {}, {}
    for user in USERS:
        for method in (*MADE, *THERE):
            admin.call(method)
        outcomes[user] = answer_to(wires[user].channel(), row)
        expected[user] = people.said(row.outcome(user, permissions_of(user)))
    assert outcomes == expected


def test_own_exclusive_queue_needs_permissions_too(people: People) -> None:
    for user, refused in (("c", True), ("cr", False)):
        wire = Wire.opened(people.url(user))
        ch = wire.channel()
        ch.call(Queue.declare(queue="own", exclusive=True))
        ch >> Basic.get(queue="own")
        assert (ch.next().name == "channel.close") == refused
        wire.close()


@pytest.mark.oracle_differs("answers 503 and closes the connection; 406 since 4.0")
def test_unknown_exchange_type_is_told_to_who_may_not_declare_one(people: People) -> None:
    people.put_user("nobody")
    people.put_permission("nobody", "^$", "^$", "^$")
    wire = Wire.opened(people.url("nobody"))
    ch = wire.channel()
    ch >> Exchange.declare(exchange="some", type="bogus")
    closed = ch << Channel.close(reply_code=406)
    assert closed.reply_text == "PRECONDITION_FAILED - unknown exchange type 'bogus'"
    wire.close()


def test_server_named_queue_is_checked_by_the_name_it_gets(people: People) -> None:
    people.put_user("named")
    people.put_permission("named", "^amq\\.gen", "^q$", "^amq\\.gen")
    wire = Wire.opened(people.url("named"))
    ch = wire.channel()
    name = ch.call(Queue.declare(exclusive=True)).queue
    ch.call(Basic.consume(queue=name))
    ch >> Queue.bind(exchange="amq.fanout")
    closed = ch << Channel.close(reply_code=403)
    text = f"ACCESS_REFUSED - write access to queue '{name}' in vhost '{VHOST}' refused for user 'named'"
    assert closed.reply_text == people.said(text)
    wire.close()


# Topics


@pytest.fixture
def topics(people: People, admin: WireChannel) -> Iterator[Callable[[], WireChannel]]:
    """Opens channels of a user that may use some routing keys only."""
    for method in (*MADE, *THERE):
        admin.call(method)
    people.put_user("tom")
    people.put_permission("tom", ".*", ".*", ".*")
    people.put_topic("tom", "y", "^{username}\\.", "^{vhost}-{username}$")
    people.put_topic("tom", "x", "^$", "^$")
    wire = Wire.opened(people.url("tom"))
    yield wire.channel
    wire.close()


def test_routing_keys_of_topic_exchanges_are_checked(
    people: People, topics: Callable[[], WireChannel]
) -> None:
    ch = topics()
    for exchange, key in (("y", "tom.x"), ("x", "a"), ("", "q"), ("amq.topic", "a")):
        ch.publish(b"", key, exchange)
    ch.call(Basic.qos())
    ch.publish(b"", "a.tom.x", "y", properties={"user_id": "bob"})
    text = "write access to topic 'a.tom.x' in exchange exchange 'y'"
    expect_refusal(people, ch, Basic.publish(), text)


@pytest.mark.parametrize("last", [b"a", b""])
def test_last_address_is_checked_again_with_another_key(
    people: People, topics: Callable[[], WireChannel], last: bytes
) -> None:
    ch = topics()
    ch.publish(b"", b"tom.x", "y").publish(b"", b"tom.x", "y").publish(b"", last, "y")
    text = f"write access to topic '{last.decode()}' in exchange exchange 'y'"
    expect_refusal(people, ch, Basic.publish(), text)


@pytest.mark.parametrize("header", ["CC", "BCC"])
@pytest.mark.oracle_differs("3.10.8 does not look at the keys in headers, later versions do")
def test_routing_keys_in_headers_are_checked(
    people: People, topics: Callable[[], WireChannel], header: str
) -> None:
    ch = topics()
    ch.publish(b"", "tom.x", "y", properties={"headers": {header: ["tom.y"]}}).call(Basic.qos())
    ch.publish(b"", "tom.x", "y", properties={"headers": {header: ["tom.y", "a"]}})
    text = "write access to topic 'a' in exchange exchange 'y'"
    expect_refusal(people, ch, Basic.publish(), text)


@pytest.mark.parametrize("method", [Queue.bind, Queue.unbind], ids=["bind", "unbind"])
def test_binding_keys_of_topic_exchanges_are_checked(
    people: People, topics: Callable[[], WireChannel], method: Callable[..., Method]
) -> None:
    ch = topics()
    ch.call(method(queue="q", exchange="y", routing_key=f"{VHOST}-tom"))
    ch.call(method(queue="q", exchange="x", routing_key="a"))
    ch >> method(queue="q", exchange="y", routing_key="a")
    expect_refusal(people, ch, method(), "read access to topic 'a' in exchange exchange 'y'")


@pytest.mark.parametrize("method", [Exchange.bind, Exchange.unbind], ids=["bind", "unbind"])
def test_binding_keys_between_exchanges_are_checked_at_the_source(
    people: People, topics: Callable[[], WireChannel], method: Callable[..., Method]
) -> None:
    ch = topics()
    ch.call(method(destination="y", source="x", routing_key="a"))
    ch >> method(destination="x", source="y", routing_key="a")
    expect_refusal(people, ch, method(), "read access to topic 'a' in exchange exchange 'y'")


def expect_refusal(people: People, ch: WireChannel, method: Method, what: str) -> None:
    closed = ch << Channel.close(reply_code=403)
    text = people.said(f"ACCESS_REFUSED - {what} in vhost '{VHOST}' refused for user 'tom'")
    assert closed.reply_text == text
    assert (closed.class_id, closed.method_id) == IDS[method.name]


# What goes with the connection


def test_only_an_impersonator_may_publish_for_others(people: People) -> None:
    people.put_user("imp", "impersonator")
    people.put_permission("imp", ".*", ".*", ".*")
    wire = Wire.opened(people.url("imp"))
    people.put_user("imp")  # which the connection does not feel
    ch = wire.channel()
    ch.publish(b"", "q", properties={"user_id": "bob"}).call(Basic.qos())
    wire.close()
    wire = Wire.opened(people.url("imp"))
    ch = wire.channel().publish(b"", "q", properties={"user_id": "bob"})
    ch << Channel.close(reply_code=406)
    wire.close()


def opening(people: People, user: str, vhost: str) -> Wire:
    wire = Wire(people.url(user))
    wire.start()
    wire.login()
    wire << Connection.tune()
    wire >> Connection.tune_ok(channel_max=2047, frame_max=131072)
    return wire >> Connection.open(virtual_host=vhost)


@pytest.mark.parametrize(
    ("vhost", "text"),
    [
        ("/", "access to vhost '/' refused for user 'none'"),
        ("not there", "vhost not there not found"),
    ],
)
def test_vhost_is_closed_to_who_has_no_permissions_there(people: People, vhost: str, text: str) -> None:
    wire = opening(people, "none", vhost)
    closed = wire << Connection.close(reply_code=530, class_id=10, method_id=40)
    assert closed.reply_text == f"NOT_ALLOWED - {text}"
    wire.close()


def test_permission_to_do_nothing_opens_the_vhost(people: People) -> None:
    wire = opening(people, "none", VHOST)
    wire << Connection.open_ok()
    wire.close()


def test_change_of_permissions_is_felt_by_connections(people: People, admin: WireChannel) -> None:
    for method in (*MADE, *THERE):
        admin.call(method)
    people.put_user("mia")
    people.put_permission("mia", ".*", ".*", ".*")
    wire = Wire.opened(people.url("mia"))
    publisher, consumer = wire.channel(), wire.channel()
    publisher.publish(b"first", "q").call(Basic.qos())
    consumer.call(Basic.consume(queue="q", no_ack=True))
    people.put_permission("mia", ".*", ".*", "")
    admin.publish(b"second", "q")
    assert consumer.bodies(2) == [b"first", b"second"]  # who consumes goes on
    getter = wire.channel() >> Basic.get(queue="q")
    getter << Channel.close(reply_code=403)
    people.clear_permission("mia")
    wire.channel() >> Queue.declare(queue="new")
    refused = WireChannel(wire, wire.last_channel) << Channel.close(reply_code=403)
    text = f"ACCESS_REFUSED - configure access to queue 'new' in vhost '{VHOST}' refused for user 'mia'"
    assert refused.reply_text == people.said(text)
    wire.zero.call(Connection.update_secret(new_secret="x", reason="y"))
    people.put_permission("mia", "new", "", "")
    wire.channel().call(Queue.declare(queue="new"))
    wire.close()


@pytest.mark.oracle_differs("a channel of RabbitMQ remembers what it was allowed last")
def test_change_of_permissions_is_felt_by_the_next_publish(people: People, admin: WireChannel) -> None:
    people.put_user("mia")
    people.put_permission("mia", ".*", ".*", ".*")
    wire = Wire.opened(people.url("mia"))
    ch = wire.channel()
    ch.publish(b"", "q").publish(b"", "q").call(Basic.qos())
    people.put_permission("mia", ".*", "", ".*")
    ch.publish(b"", "q") << Channel.close(reply_code=403)
    wire.close()


def test_connections_of_a_deleted_user_are_closed(people: People) -> None:
    people.put_user("gone")
    people.put_permission("gone", ".*", ".*", ".*")
    wire = Wire.opened(people.url("gone"))
    people.delete_user("gone")
    closed = wire << Connection.close(reply_code=320, class_id=0, method_id=0)
    assert closed.reply_text == "CONNECTION_FORCED - user 'gone' is deleted"
    wire >> Connection.close_ok()
    wire.drop()
