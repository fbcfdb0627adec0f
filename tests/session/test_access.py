"""What is remembered about permissions is what one finds out anew, whatever has changed in between."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conformance.codec import Basic, Exchange
from tests.session.script import Node

from supersoniq.amqp.errors import AccessRefused
from supersoniq.auth.permissions import READ, WRITE, Permission, TopicPermission
from supersoniq.broker.message import address_of
from supersoniq.session.access import EXCHANGE, NAMES_MAX, QUEUE, Access

PATTERNS = ["", "^$", ".*", "^a", "b$", "^amq\\.", "^{username}", "default"]
NAMES = [b"a", b"b", b"ab", b"ann", b"amq.topic", b"t", b""]
KEYS = [b"a", b"b", b"ann.x", b""]
PERMISSIONS = ["configure", "write", "read"]

patterns = st.sampled_from(PATTERNS)
changes = st.one_of(
    st.tuples(st.just("put"), patterns, patterns, patterns),
    st.tuples(st.just("remove")),
    st.tuples(st.just("put_topic"), st.sampled_from(["amq.topic", "t"]), patterns, patterns),
    st.tuples(st.just("remove_topic"), st.sampled_from(["amq.topic", "t"])),
)
checks = st.one_of(
    st.tuples(st.just("check"), st.sampled_from(PERMISSIONS), st.sampled_from(NAMES)),
    st.tuples(st.just("publish"), st.sampled_from(NAMES), st.sampled_from(KEYS)),
    st.tuples(st.just("bind"), st.sampled_from([b"amq.topic", b"t"]), st.sampled_from(KEYS)),
)


class Oracle:
    """The rules once more, without memory: rows as they were put, matched by `re` alone."""

    def __init__(self) -> None:
        self.row: dict[str, str] | None = dict.fromkeys(PERMISSIONS, ".*")
        self.topics: dict[str, dict[str, str]] = {}

    def allows(self, permission: str, name: bytes) -> bool:
        shown = name.decode() or "amq.default"
        return self.row is not None and re.search(self.row[permission] or "^$", shown) is not None

    def allows_topic(self, permission: str, exchange: bytes, key: bytes) -> bool:
        row = self.topics.get(exchange.decode())
        is_topic = exchange == b"amq.topic"  # "t" is a direct exchange
        if row is None or not is_topic:
            return True
        pattern = row[permission].replace("{username}", "ann") or "^$"
        return re.search(pattern, key.decode()) is not None


def change(node: Node, oracle: Oracle, step: tuple[str, ...]) -> None:
    permissions = node.context.permissions
    match step:
        case ("put", configure, write, read):
            permissions.put("ann", "/", Permission(configure, write, read))
            oracle.row = {"configure": configure, "write": write, "read": read}
        case ("remove",):
            permissions.remove("ann", "/")
            oracle.row = None
        case ("put_topic", exchange, write, read):
            permissions.put_topic("ann", "/", exchange, TopicPermission(write, read))
            oracle.topics[exchange] = {"write": write, "read": read}
        case ("remove_topic", exchange):
            permissions.remove_topic("ann", "/", exchange)
            oracle.topics.pop(exchange, None)


def answer(node: Node, access: Access, step: tuple) -> bool:
    """Whether it is allowed, as far as `access` says."""
    try:
        match step:
            case ("check", permission, name):
                getattr(access, permission)(QUEUE, name)
            case ("publish", exchange, key):
                access.publish(address_of(exchange, key))
            case ("bind", exchange, key):
                access.topic(READ, node.vhost.exchanges[exchange], key)
    except AccessRefused:
        return False
    return True


def expected(oracle: Oracle, step: tuple) -> bool:
    match step:
        case ("check", permission, name):
            return oracle.allows(permission, name)
        case ("publish", exchange, key):
            return oracle.allows(WRITE, exchange) and oracle.allows_topic(WRITE, exchange, key)
    return oracle.allows_topic(READ, step[1], step[2])


@settings(deadline=None, max_examples=200)
@given(st.lists(st.one_of(changes, checks, checks, checks), max_size=40))
def test_answers_are_those_of_rules_without_memory(steps: list[tuple]) -> None:
    node, oracle = Node(), Oracle()
    node.vhost.declare_exchange(b"t", "direct", False, False, False, {})
    access = Access(node.context, "ann", node.vhost)
    for step in steps:
        if step[0] in ("check", "publish", "bind"):
            assert answer(node, access, step) == expected(oracle, step), step
        else:
            change(node, oracle, step)


publishes = st.tuples(
    st.sampled_from(["", "amq.topic", "t", "amq.headers"]), st.sampled_from(["q", "ann.x"]), st.booleans()
)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.one_of(changes, publishes, publishes, publishes), max_size=30))
def test_publishing_is_allowed_and_refused_as_by_rules_without_memory(steps: list[tuple]) -> None:
    """Routes are remembered by channels, too, and shared between users: neither lets anything through."""
    node, oracle = Node(), Oracle()
    node.queue()
    client = node.stranger().open(response=b"\0ann\0ann")
    free, ch = node.channel(), client.channel()
    free >> Exchange.declare(exchange="t", type="direct")
    free << Exchange.declare_ok()
    for step in steps:
        if len(step) != 3 or not isinstance(step[2], bool):
            change(node, oracle, step)
            continue
        exchange, key, has_headers = step
        properties = {"headers": {"a": 1}} if has_headers else {}
        for channel in (free, ch):  # the route is known before ann's permission is
            channel.publish(b"", key=key, exchange=exchange, properties=properties)
        if expected(oracle, ("publish", exchange.encode(), key.encode())):
            ch >> Basic.qos()
            ch << Basic.qos_ok()
        else:
            ch.closed_with(403)
            ch = client.channel()


def test_permission_for_one_address_is_none_for_the_next() -> None:
    node = Node()
    node.context.permissions.put("ann", "/", Permission("", "^amq\\.direct$", ""))
    ch = node.stranger().open(response=b"\0ann\0ann").channel()
    ch.publish(b"", key="q", exchange="amq.direct")
    ch.publish(b"", key="q", exchange="amq.fanout")
    ch.closed_with(403)


@pytest.mark.parametrize(
    ("permission", "kind", "name", "text"),
    [
        ("configure", QUEUE, b"q", "configure access to queue 'q' in vhost '/' refused for user 'bob'"),
        (
            "write",
            EXCHANGE,
            b"",
            "write access to exchange 'amq.default' in vhost '/' refused for user 'bob'",
        ),
        ("read", EXCHANGE, b"x", "read access to exchange 'x' in vhost '/' refused for user 'bob'"),
    ],
)
def test_refusal_says_what_is_missing(permission: str, kind: str, name: bytes, text: str) -> None:
    node = Node()
    with pytest.raises(AccessRefused) as caught:
        getattr(Access(node.context, "bob", node.vhost), permission)(kind, name)
    assert caught.value.text == text


def test_refusal_of_a_topic_says_exchange_twice() -> None:
    node = Node()
    node.context.permissions.put_topic("ann", "/", "amq.topic", TopicPermission("^x$", "^$"))
    access = Access(node.context, "ann", node.vhost)
    with pytest.raises(AccessRefused) as caught:
        access.publish(address_of(b"amq.topic", b"k"))
    assert caught.value.text == (
        "write access to topic 'k' in exchange exchange 'amq.topic' in vhost '/' refused for user 'ann'"
    )


def test_more_names_than_are_remembered_are_allowed() -> None:
    node = Node()
    access = Access(node.context, "ann", node.vhost)
    for number in range(2 * NAMES_MAX + 2):
        access.configure(QUEUE, b"q%d" % number)
    assert access.publish(address_of(b"", b"q0"))


def test_allowance_for_an_exchange_with_topics_is_for_once_only() -> None:
    node = Node()
    node.context.permissions.put_topic("ann", "/", "t", TopicPermission(".*", ".*"))
    assert not Access(node.context, "ann", node.vhost).publish(address_of(b"t", b"k"))


def test_operator_of_the_machine_is_refused_nothing() -> None:
    node = Node()
    access = Access(node.context, "nobody", node.vhost)
    access.is_unlimited = True
    for permission in PERMISSIONS:
        getattr(access, permission)(QUEUE, b"a")
    assert access.publish(address_of(b"amq.topic", b"k"))
