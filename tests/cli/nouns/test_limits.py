"""`supersoniq limits`."""

import pytest
from tests.cli.conftest import Ask
from tests.cli.fake_node import FakeNode


@pytest.fixture(autouse=True)
def known(node: FakeNode) -> None:
    node.get("users/ann", {})
    node.get("vhosts//", {})
    node.get("vhost-limits", [{"vhost": "/", "value": {"max-queues": 5, "max-connections": 2}}])
    node.get("user-limits", [{"user": "ann", "value": {"max-channels": 9}}])
    node.get("vhost-limits//", [{"vhost": "/", "value": {"max-queues": 5}}])
    node.get("user-limits/ann", [{"user": "ann", "value": {"max-channels": 9}}])


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        ([], ["vhost / max-queues 5", "vhost / max-connections 2", "user ann max-channels 9"]),
        (["-p", "/"], ["vhost / max-queues 5"]),
        (["-u", "ann"], ["user ann max-channels 9"]),
    ],
)  # fmt: skip
def test_limits_are_listed(ask: Ask, words: list[str], rows: list[str]) -> None:
    assert [" ".join(line.split()) for line in ask("limits", *words).out.splitlines()[1:]] == rows


@pytest.mark.parametrize(
    ("words", "path"), [(["-p", "/"], "vhost-limits//"), (["-u", "ann"], "user-limits/ann")]
)
def test_limits_are_set_and_cleared(node: FakeNode, ask: Ask, words: list[str], path: str) -> None:
    for limit in ("max-connections", "max-queues", "max-channels"):
        node.accepts("PUT", f"{path}/{limit}")
        node.accepts("DELETE", f"{path}/{limit}")
    assert ask("limits", "set", "max-connections=5", *words).code == 0
    assert ask("limits", "clear", "max-connections", *words).code == 0
    assert ask("limits", "clear", *words).code == 0
    assert node.changes()[:2] == [
        ("PUT", f"{path}/max-connections", {"value": 5}),
        ("DELETE", f"{path}/max-connections", None),
    ]
    assert len(node.changes()) == 3


def test_limit_that_is_not_set_is_noted(ask: Ask) -> None:
    said = ask("limits", "clear", "max-queues", "-p", "/")
    assert (said.code, said.err) == (0, "vhost / has no limit max-queues\n")


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["set", "max-queues=1"], 2, "give either --vhost or --user"),
        (["set", "max-queues=1", "-p", "/", "-u", "ann"], 2, "give either --vhost or --user"),
        (["clear", "-u", "bob"], 1, "no user 'bob'"),
        (["clear", "-p", "x"], 1, "no virtual host 'x'"),
        (["set", "max-queues", "-p", "/"], 2, "expected name=value, not max-queues"),
    ],
)
def test_what_is_wrong_is_one_line(ask: Ask, words: list[str], code: int, error: str) -> None:
    said = ask("limits", *words)
    assert (said.code, said.err) == (code, f"supersoniq: {error}\n")
