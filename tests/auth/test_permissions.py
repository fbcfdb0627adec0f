"""Patterns match as RabbitMQ's do, and permissions come, go and are told of."""

import pytest

from supersoniq.auth.permissions import (
    CONFIGURE,
    READ,
    WRITE,
    Affected,
    InvalidPattern,
    Pattern,
    Permission,
    Permissions,
    TopicPermission,
    expanded,
)

ALL = Permission(".*", ".*", ".*")
SOME = TopicPermission("^a", "^b")


class Notes(Affected):
    def __init__(self) -> None:
        self.vhosts: list[str] = []

    def permissions_changed(self, vhost: str) -> None:
        self.vhosts.append(vhost)


@pytest.mark.parametrize(
    ("pattern", "names", "others"),
    [
        (".*", [b"", b"a", b"a b", b"\xff"], []),
        ("", [b""], [b"a"]),
        ("^$", [b""], [b"a", b"amq.default"]),
        ("b", [b"b", b"abc"], [b"B", b""]),
        ("^amq\\.", [b"amq.default", b"amq.gen-1"], [b"amq", b"xamq.x"]),
        ("^(amq\\.gen.*|amq\\.default)$", [b"amq.default", b"amq.gen-x"], [b"orders"]),
        ("é", ["né".encode()], [b"ne", b"n\xe9"]),
        ("(?i)^orders", [b"ORDERS.eu"], [b"my orders"]),
        ("^[[:alpha:]]+-[[:digit:][:upper:]]{2}$", [b"ab-1X"], [b"ab-1x", b"1-11"]),
        (r"\Aab\z", [b"ab"], [b"ab\n", b"abz"]),
        (r"a\\z", [rb"a\z"], [b"a"]),
    ],
)
def test_pattern_matches_anywhere_unless_it_says_where(
    pattern: str, names: list[bytes], others: list[bytes]
) -> None:
    expression = Pattern(pattern)
    assert [name for name in names if not expression.matches(name)] == []
    assert [name for name in others if expression.matches(name)] == []


@pytest.mark.parametrize("pattern", ["(", "a**", "[z-a]", "*", "\ud800"])
def test_bad_pattern_is_refused_wherever_it_stands(pattern: str) -> None:
    for values in ((pattern, "", ""), ("", pattern, ""), ("", "", pattern)):
        with pytest.raises(InvalidPattern) as caught:
            Permission(*values)
        assert caught.value.pattern == pattern
    with pytest.raises(InvalidPattern):
        TopicPermission("", pattern)


def test_permission_allows_what_its_pattern_matches() -> None:
    permission = Permission("^c", "^amq\\.default$", "")
    assert permission.allows(CONFIGURE, b"c1")
    assert not permission.allows(CONFIGURE, b"w1")
    assert permission.allows(WRITE, b"")  # the default exchange
    assert not permission.allows(READ, b"c1")
    assert permission == Permission("^c", "^amq\\.default$", "")


def test_topic_permission_allows_keys_by_patterns_with_names() -> None:
    permission = TopicPermission("^{username}\\.", "^{vhost}$")
    assert permission.allows(WRITE, b"ann.x", "ann", "/")
    assert not permission.allows(WRITE, b"bob.x", "ann", "/")
    assert permission.allows(READ, b"/", "ann", "/")
    assert not permission.allows(READ, b"ann.x", "ann", "/")


def test_slow_topic_pattern_refuses_and_says_so_once_for_all_keys(caplog: pytest.LogCaptureFixture) -> None:
    permission = TopicPermission("^{username}(a|b|ab)*$", "")
    for number in range(3):
        assert not permission.allows(WRITE, b"ann" + b"ab" * 100 + b"!%d" % number, "ann", "/")
    assert permission.allows(WRITE, b"annab", "ann", "/")
    assert len(caplog.messages) == 1


def test_name_that_makes_a_pattern_senseless_is_refused() -> None:
    assert not TopicPermission("^{username}", "").allows(WRITE, b"a(b", "a(b", "/")


def test_names_stand_in_topic_patterns() -> None:
    assert expanded("^{username}-{vhost}{other}$", "ann", "/x") == "^ann-/x{other}$"


def test_permissions_are_by_user_and_vhost() -> None:
    permissions = Permissions()
    permissions.put("ann", "/", ALL)
    permissions.put_topic("ann", "/", "amq.topic", SOME)
    assert permissions.of("ann", "/") is ALL
    assert permissions.of("ann", "x") is None
    assert permissions.of("bob", "/") is None
    assert permissions.topic_of("ann", "/", "amq.topic") is SOME
    assert permissions.topic_of("ann", "/", "t") is None
    assert permissions.topic_of("bob", "/", "amq.topic") is None
    assert list(permissions.rows()) == [("ann", "/", ALL)]
    assert list(permissions.topic_rows()) == [("ann", "/", "amq.topic", SOME)]


def test_every_change_raises_the_generation_and_is_told() -> None:
    permissions = Permissions()
    notes = permissions.affected = Notes()
    permissions.put("ann", "/", ALL)
    permissions.put_topic("ann", "/", "t", SOME)
    assert permissions.remove_topic("ann", "/", "t")
    assert permissions.remove("ann", "/")
    assert permissions.generation == 4
    assert notes.vhosts == ["/"] * 4
    assert not permissions.remove("ann", "/")
    assert not permissions.remove_topic("ann", "/", "t")
    assert not permissions.remove_topic("ann", "/")
    assert permissions.generation == 4


def test_topics_of_all_exchanges_can_be_removed_at_once() -> None:
    permissions = Permissions()
    permissions.put_topic("ann", "/", "t", SOME)
    permissions.put_topic("ann", "/", "u", SOME)
    permissions.put_topic("ann", "x", "t", SOME)
    assert permissions.remove_topic("ann", "/")
    assert list(permissions.topic_rows()) == [("ann", "x", "t", SOME)]


def test_removing_permissions_leaves_topics_as_they_are() -> None:
    permissions = Permissions()
    permissions.put("ann", "/", ALL)
    permissions.put_topic("ann", "/", "t", SOME)
    permissions.remove("ann", "/")
    assert permissions.topic_of("ann", "/", "t") is SOME


def test_deleted_user_and_vhost_are_forgotten() -> None:
    permissions = Permissions()
    for user in ("ann", "bob"):
        for vhost in ("/", "x"):
            permissions.put(user, vhost, ALL)
    permissions.put_topic("ann", "y", "t", SOME)
    before = permissions.generation
    permissions.forget_user("ann")
    permissions.forget_vhost("x")
    assert list(permissions.rows()) == [("bob", "/", ALL)]
    assert list(permissions.topic_rows()) == []
    assert permissions.generation == before + 4
