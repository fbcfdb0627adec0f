"""rabbitmqctl's words for users."""

import sys
from base64 import b64decode
from hashlib import sha256
from io import StringIO

import pytest
from tests.cli.ctl.conftest import Ctl
from tests.cli.fake_node import Asked, FakeNode

from supersoniq.cli.ctl.users import hashed

ANN = {"name": "ann", "tags": ["monitoring", "own"], "password_hash": "h", "hashing_algorithm": "sha"}
GONE = 'Error:\nUser "gone" does not exist\n\n'
NO_SUCH = 'Error:\n{:no_such_user, "gone"}\n\n'


@pytest.fixture(autouse=True)
def known(node: FakeNode) -> None:
    node.get("users/ann", ANN)
    for path in ("users/ann", "users/bob"):
        node.accepts("PUT", path)
    node.accepts("DELETE", "users/ann")


@pytest.mark.parametrize(
    ("tokens", "out", "change"),
    [
        (["-q", "add_user", "bob", "pw"], "", ("PUT", {"tags": "", "password": "pw"})),
        (["-q", "add_user", "bob", ""], "", ("PUT", {"tags": "", "password_hash": ""})),
        (
            ["change_password", "ann", "pw"],
            'Changing password for user "ann" ...\n',
            ("PUT", {"tags": "monitoring,own", "password": "pw"}),
        ),
        (
            ["clear_password", "ann"],
            'Clearing password for user "ann" ...\n',
            ("PUT", {"tags": "monitoring,own", "password_hash": ""}),
        ),
        (
            ["set_user_tags", "ann", "a", "b"],
            'Setting tags for user "ann" to [a, b] ...\n',
            ("PUT", {"tags": "a,b", "password_hash": "h", "hashing_algorithm": "sha"}),
        ),
        (["delete_user", "ann"], 'Deleting user "ann" ...\n', ("DELETE", None)),
    ],
)
def test_user_is_changed(
    ctl: Ctl, node: FakeNode, tokens: list[str], out: str, change: tuple[str, object]
) -> None:
    assert ctl(*tokens) == (0, out, "")
    assert [(method, body) for method, _, body in node.changes()] == [change]


def test_new_user_is_told_to_need_permissions(ctl: Ctl) -> None:
    lines = ctl("add_user", "bob", "pw").out.splitlines()
    assert lines[0] == 'Adding user "bob" ...'
    assert lines[1].startswith("Done. Don't forget to grant the user permissions to some virtual hosts! ")


@pytest.mark.parametrize(
    ("tokens", "code", "err"),
    [
        (["add_user", "ann", "pw"], 70, 'Error:\nUser "ann" already exists\n\n'),
        (["change_password", "gone", "pw"], 67, GONE),
        (["set_user_tags", "gone"], 67, GONE),
        (["delete_user", "gone"], 67, GONE),
        (["clear_password", "gone"], 69, NO_SUCH),
    ],
)
def test_error_is_that_of_rabbitmqctl(ctl: Ctl, tokens: list[str], code: int, err: str) -> None:
    said = ctl(*tokens)
    assert (said.code, said.err) == (code, err)


def test_empty_name_is_refused(ctl: Ctl) -> None:
    said = ctl("add_user", "", "pw")
    assert said.code == 65
    assert "Bad argument: user cannot be an empty string" in said.err


@pytest.mark.parametrize(("password", "code"), [("right", 0), ("wrong", 65)])
def test_password_is_tried(ctl: Ctl, node: FakeNode, password: str, code: int) -> None:
    def whoami(asked: Asked) -> tuple[int, object]:
        is_right = b64decode(asked.headers["authorization"].removeprefix("Basic ")) == b"ann:right"
        return (200, {}) if is_right else (401, {"error": "not_authorized", "reason": "Login failed"})

    node.answers["GET", "whoami"] = whoami
    said = ctl("authenticate_user", "ann", password)
    assert said.code == code
    assert said.out.splitlines()[1:] == (["Success"] if code == 0 else [])
    error = "Error:\nError: failed to authenticate user \"ann\"\nuser 'ann' - invalid credentials\n\n"
    assert said.err == ("" if code == 0 else error)


def test_password_may_come_from_standard_input(
    ctl: Ctl, node: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO("piped\n"))
    assert ctl("add_user", "bob").code == 0
    assert node.changes()[0][2]["password"] == "piped"
    assert ctl("add_user", "bob").code == 64


def test_hash_is_rabbitmqs(ctl: Ctl) -> None:
    raw = b64decode(hashed(b"secret"))
    assert sha256(raw[:4] + b"secret").digest() == raw[4:]
    assert len(ctl("-q", "hash_password", "secret").out.strip()) == len(hashed(b"secret"))
    assert ctl("hash_password", "").code == 64
