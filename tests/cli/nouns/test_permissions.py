"""`supersoniq permissions`."""

import pytest
from tests.cli.conftest import Ask
from tests.cli.fake_node import FakeNode

ROWS = [
    {"user": "ann", "vhost": "/", "configure": "", "write": "^a", "read": ".*"},
    {"user": "bob", "vhost": "shop", "configure": ".*", "write": ".*", "read": ".*"},
]
TOPIC_ROW = {"user": "ann", "vhost": "/", "exchange": "amq.topic", "write": "^a", "read": "^b"}


@pytest.fixture(autouse=True)
def known(node: FakeNode) -> None:
    node.get("users/ann", {"name": "ann"})
    node.get("vhosts//", {"name": "/"})


@pytest.mark.parametrize(
    ("words", "path", "users"),
    [
        ([], "permissions", ["ann", "bob"]),
        (["--vhost", "shop"], "permissions", ["bob"]),
        (["--user", "ann"], "users/ann/permissions", ["ann", "bob"]),
        (["--match", "^b"], "permissions", ["bob"]),
    ],
)
def test_permissions_are_listed(
    node: FakeNode, ask: Ask, words: list[str], path: str, users: list[str]
) -> None:
    node.get(path, ROWS)
    assert [line.split()[0] for line in ask("permissions", *words).out.splitlines()[1:]] == users


def test_topic_permissions_are_listed(node: FakeNode, ask: Ask) -> None:
    node.get("topic-permissions", [TOPIC_ROW])
    assert ask("permissions", "list-topic").out.splitlines()[1].split() == [
        "ann",
        "/",
        "amq.topic",
        "^a",
        "^b",
    ]


def test_permissions_are_set_and_cleared(node: FakeNode, ask: Ask) -> None:
    for method, path in (("PUT", "permissions///ann"), ("DELETE", "permissions///ann")):
        node.accepts(method, path)
    assert ask("permissions", "set", "ann", ".*", "", "^a").code == 0
    assert ask("permissions", "clear", "ann").code == 0
    assert node.changes() == [
        ("PUT", "permissions///ann", {"configure": ".*", "write": "", "read": "^a"}),
        ("DELETE", "permissions///ann", None),
    ]


def test_topic_permissions_are_set_and_cleared(node: FakeNode, ask: Ask) -> None:
    paths = ("topic-permissions///ann", "topic-permissions///ann/amq.topic")
    node.accepts("PUT", paths[0])
    for path in paths:
        node.accepts("DELETE", path)
    assert ask("permissions", "set-topic", "ann", "amq.topic", "^a", "^b").code == 0
    assert ask("permissions", "clear-topic", "ann", "--exchange", "amq.topic").code == 0
    assert ask("permissions", "clear-topic", "ann").code == 0
    assert node.changes() == [
        ("PUT", paths[0], {"exchange": "amq.topic", "write": "^a", "read": "^b"}),
        ("DELETE", paths[1], None),
        ("DELETE", paths[0], None),
    ]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["set", "anne", "", "", ""], "no user 'anne'"),
        (["set", "ann", "", "", "", "-p", "x"], "no virtual host 'x'"),
        (["clear", "ann"], "user ann has no permissions in virtual host /"),
        (["clear-topic", "ann"], "user ann has no such topic permissions in virtual host /"),
        (["set-topic", "anne", "x", "", ""], "no user 'anne'"),
    ],
)
def test_what_is_not_there_is_one_line(ask: Ask, words: list[str], error: str) -> None:
    assert ask("permissions", *words) == (1, "", f"supersoniq: {error}\n")
