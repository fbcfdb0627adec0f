"""`supersoniq users`."""

import sys
from io import StringIO

import pytest
from tests.cli.conftest import Ask
from tests.cli.fake_node import Asked, FakeNode

ANN = {"name": "ann", "password_hash": "h", "hashing_algorithm": "sha", "tags": ["monitoring"], "limits": {}}


def test_users_are_listed(node: FakeNode, ask: Ask) -> None:
    node.get("users", [ANN])
    assert ask("users").out.splitlines()[1].split() == ["ann", "monitoring", "sha"]


@pytest.mark.parametrize(
    ("words", "body"),
    [
        (["--password", "secret"], {"tags": "", "password": "secret"}),
        ([], {"tags": "", "password": "typed"}),
        (["--no-password", "--tag", "a", "--tag", "b"], {"tags": "a,b", "password_hash": ""}),
        (["--password-hash", "h"], {"tags": "", "password_hash": "h"}),
        (
            ["--password-hash", "h", "--algorithm", "sha"],
            {"tags": "", "password_hash": "h", "hashing_algorithm": "sha"},
        ),
    ],
)
def test_user_is_created(
    node: FakeNode, ask: Ask, words: list[str], body: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO("typed\n"))
    node.accepts("PUT", "users/ann")
    assert ask("users", "create", "ann", *words) == (0, "user ann is created\n", "")
    assert node.changes() == [("PUT", "users/ann", body)]


def test_existing_user_is_not_created_again(node: FakeNode, ask: Ask) -> None:
    node.get("users/ann", ANN)
    said = ask("users", "create", "ann", "--password", "x")
    assert (said.code, node.changes()) == (1, [])
    assert "user ann is already there" in said.err


@pytest.mark.parametrize(
    ("words", "body"),
    [
        (["set-password", "ann", "--password", "x"], {"tags": "monitoring", "password": "x"}),
        (["set-password", "ann", "--password-hash", "g"], {"tags": "monitoring", "password_hash": "g"}),
        (["clear-password", "ann"], {"tags": "monitoring", "password_hash": ""}),
        (["set-tags", "ann", "a", "b"], {"tags": "a,b", "password_hash": "h", "hashing_algorithm": "sha"}),
        (["set-tags", "ann"], {"tags": "", "password_hash": "h", "hashing_algorithm": "sha"}),
    ],
)
def test_change_leaves_the_rest(node: FakeNode, ask: Ask, words: list[str], body: dict[str, str]) -> None:
    node.get("users/ann", ANN)
    node.accepts("PUT", "users/ann")
    assert ask("users", *words).code == 0
    assert node.changes() == [("PUT", "users/ann", body)]


@pytest.mark.parametrize(
    "words", [["set-password", "x", "--password", "p"], ["set-tags", "x"], ["delete", "x"]]
)
def test_missing_user_is_one_line(ask: Ask, words: list[str]) -> None:
    assert ask("users", *words) == (1, "", "supersoniq: no user 'x'\n")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((200, {"name": "ann"}), 0),
        ((401, {"error": "not_authorised", "reason": "Not management user"}), 0),
        ((401, {"error": "not_authorized", "reason": "Login failed"}), 1),
        ((500, None), 1),
    ],
)
def test_password_is_checked_as_that_user(
    node: FakeNode, ask: Ask, answer: tuple[int, object], code: int
) -> None:
    def whoami(asked: Asked) -> tuple[int, object]:
        assert asked.headers["authorization"] == "Basic YW5uOnA="
        return answer

    node.answers["GET", "whoami"] = whoami
    assert ask("users", "check", "ann", "--password", "p").code == code


def test_user_is_shown_with_what_it_may_do(node: FakeNode, ask: Ask) -> None:
    node.get("users/ann", ANN)
    node.get("users/ann/permissions", [{"vhost": "/", "configure": ".*"}])
    node.get("users/ann/topic-permissions", [])
    out = ask("users", "show", "ann").out
    assert '[{"vhost": "/", "configure": ".*"}]' in out
