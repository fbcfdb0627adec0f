"""`supersoniq connections`."""

import pytest
from tests.cli.conftest import Ask
from tests.cli.fake_node import FakeNode

NAMES = ["a -> s", "b -> s", "c -> s"]


@pytest.fixture(autouse=True)
def known(node: FakeNode) -> None:
    vhosts = ["/", "shop", "shop"]
    users = ["ann", "ann", "bob"]
    items = [
        {"name": name, "user": user, "vhost": vhost}
        for name, user, vhost in zip(NAMES, users, vhosts, strict=True)
    ]
    node.get("connections", {"items": items, "page_count": 1})
    for name in NAMES:
        node.accepts("DELETE", f"connections/{name}")


@pytest.mark.parametrize(
    ("words", "path"), [([], "connections"), (["-p", "shop"], "vhosts/shop/connections")]
)
def test_connections_are_listed(node: FakeNode, ask: Ask, words: list[str], path: str) -> None:
    item = {"name": "a -> s", "user": "ann", "state": "running", "channels": 2, "recv_oct": 2048}
    node.get(path, {"items": [item], "page_count": 1})
    row = ["a", "->", "s", "ann", "running", "2", "2.0", "KiB"]
    assert ask("connections", *words).out.splitlines()[1].split() == row


@pytest.mark.parametrize(
    ("words", "closed"),
    [
        (["b -> s"], NAMES[1:2]),
        (["--user", "ann"], NAMES[:2]),
        (["--vhost", "shop"], NAMES[1:]),
        (["--user", "ann", "--vhost", "shop"], NAMES[1:2]),
        (["--all"], NAMES),
        (["--user", "nobody"], []),
    ],
)
def test_connections_are_closed(node: FakeNode, ask: Ask, words: list[str], closed: list[str]) -> None:
    said = ask("connections", "close", *words, "--reason", "bye now")
    assert said.code == 0
    assert [path.partition("/")[2] for _, path, _ in node.changes()] == closed
    assert {asked.headers["x-reason"] for asked in node.asked if asked.method == "DELETE"} <= {"bye now"}
    count = len(closed)
    assert said.out == f"closed {count} connection{'' if count == 1 else 's'}\n"


def test_nothing_is_closed_unasked(node: FakeNode, ask: Ask) -> None:
    said = ask("connections", "close")
    assert (said.code, node.changes()) == (2, [])
    assert said.err == "supersoniq: give the names of connections, --user, --vhost or --all\n"


def test_connection_that_is_not_there_is_one_line(ask: Ask) -> None:
    assert ask("connections", "close", "x") == (1, "", "supersoniq: no connection 'x'\n")
    assert ask("connections", "show", "x") == (1, "", "supersoniq: no connection 'x'\n")


def test_connection_that_has_gone_meanwhile_is_no_error(node: FakeNode, ask: Ask) -> None:
    del node.answers["DELETE", "connections/a -> s"]
    assert ask("connections", "close", "--all").code == 0
