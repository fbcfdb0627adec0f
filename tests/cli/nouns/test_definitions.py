"""`supersoniq definitions`."""

import json
import stat
from pathlib import Path

import pytest
from tests.cli.conftest import Ask
from tests.cli.fake_node import FakeNode

DEFINITIONS = {"rabbit_version": "3.13.7", "vhosts": [{"name": "/"}], "queues": [{"name": "q", "vhost": "/"}]}


@pytest.fixture(autouse=True)
def known(node: FakeNode) -> None:
    node.get("definitions", DEFINITIONS)
    node.get("definitions/shop", {"queues": []})
    node.get("vhosts/shop", {})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "definitions.json"
    path.write_text(json.dumps(DEFINITIONS))
    return path


def test_definitions_are_counted(ask: Ask) -> None:
    assert ask("definitions").out == "vhosts  1\nqueues  1\n"
    assert json.loads(ask("definitions", "--json").out) == {"vhosts": 1, "queues": 1}


def test_export_is_for_the_owner_only(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    assert ask("definitions", "export", str(path)) == (0, f"definitions are in {path}\n", "")
    assert json.loads(path.read_text()) == DEFINITIONS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(ask("definitions", "export").out) == DEFINITIONS
    assert json.loads(ask("definitions", "export", "-p", "shop").out) == {"queues": []}


@pytest.mark.parametrize(("words", "path"), [([], "definitions"), (["-p", "shop"], "definitions/shop")])
def test_file_is_imported(node: FakeNode, ask: Ask, file: Path, words: list[str], path: str) -> None:
    node.accepts("POST", path)
    assert ask("definitions", "import", str(file), *words) == (0, "imported 1 vhosts, 1 queues\n", "")
    assert node.changes() == [("POST", path, DEFINITIONS)]


def test_what_cannot_be_honoured_is_noted(node: FakeNode, ask: Ask, file: Path) -> None:
    left = {"what": "parameters of component shovel", "vhost": "/", "name": "s"}
    node.accepts("POST", "definitions", {"not_honoured": [left]})
    assert ask("definitions", "import", str(file)).err == "not honoured: parameters of component shovel / s\n"


def test_dry_run_says_what_would_be_done(node: FakeNode, ask: Ask, file: Path) -> None:
    would = {"action": "create", "kind": "queue", "name": "q", "vhost": "/", "changed": [], "reason": ""}
    node.accepts("POST", "definitions", [would])
    said = ask("definitions", "import", str(file), "--dry-run")
    assert said.out.splitlines()[1].split() == ["create", "queue", "q", "/"]
    assert node.asked[-1].query == "dry_run=true"


def test_no_difference_is_exit_code_0(ask: Ask, file: Path) -> None:
    assert ask("definitions", "diff", str(file)) == (0, "", "no difference\n")


def test_difference_is_exit_code_1(ask: Ask, file: Path) -> None:
    file.write_text(json.dumps({"queues": [{"name": "new", "vhost": "/"}], "vhosts": [{"name": "/"}]}))
    assert ask("definitions", "diff", str(file)) == (1, "+ queue new in /\n- queue q in /\n", "")
    assert json.loads(ask("definitions", "diff", str(file), "--json").out)[0]["change"] == "added"


@pytest.mark.parametrize(
    ("text", "code", "error"),
    [
        (b"{", 2, "is not JSON: "),
        (b"\xff", 2, "is not JSON: it is not UTF-8"),
        (b"[]", 2, "has no definitions: it is not a JSON object"),
        (None, 1, "cannot be read: no such file or directory"),
    ],
)
def test_file_that_cannot_be_used_is_one_line(
    ask: Ask, tmp_path: Path, text: bytes | None, code: int, error: str
) -> None:
    path = tmp_path / "x.json"
    if text is not None:
        path.write_bytes(text)
    said = ask("definitions", "import", str(path))
    assert said.code == code
    assert error in said.err


def test_place_that_cannot_be_written_is_one_line(ask: Ask, tmp_path: Path) -> None:
    said = ask("definitions", "export", str(tmp_path / "no" / "x"))
    assert said == (1, "", f"supersoniq: {tmp_path}/no/x cannot be written: no such file or directory\n")
