"""How a command answers: tables, JSON, one line, a question."""

import json
import sys
from io import StringIO

import pytest
from tests.cli.conftest import Ask
from tests.cli.fake_node import FakeNode

from supersoniq.cli.remote.call import Call, Common, Failed
from supersoniq.cli.remote.cells import Column, count_column

COLUMNS = (Column("name", "name"), count_column("messages", "messages"))


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Somebody reads and types; what they type is written into it."""
    answers = Terminal()
    monkeypatch.setattr(sys, "stdin", answers)
    monkeypatch.setattr(Call, "is_terminal", property(lambda call: True))
    monkeypatch.setattr("os.get_terminal_size", Size)
    return answers


class Size:
    columns = 80


def test_items_are_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    Call(Common()).show([{"name": "q", "messages": 1000}], COLUMNS)
    assert capsys.readouterr().out == "name  messages\nq        1,000\n"


def test_items_are_whole_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    Call(Common(as_json=True)).show([{"name": "ü", "more": 1}], COLUMNS)
    assert capsys.readouterr().out == '[{"name": "ü", "more": 1}]\n'


def test_item_is_shown_without_what_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    Call(Common()).show_one({"name": "q", "policy": None, "arguments": {}, "durable": False})
    assert capsys.readouterr().out == "name     q\ndurable  no\n"


def test_item_is_shown_without_what_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    item = {
        "reductions": 5,
        "a_details": {"rate": 0.0},
        "b_details": {"rate": 2.0},
        "message_stats": {"ack": 1},
    }
    Call(Common()).show_one(item)
    assert capsys.readouterr().out == "b_details      2.0/s\nmessage_stats  ack 1\n"


@pytest.mark.parametrize("as_json", [False, True])
def test_what_was_done_is_one_line(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    Call(Common(as_json=as_json)).done("closed 2", connections=2)
    out = capsys.readouterr().out
    assert json.loads(out) == {"done": "closed 2", "connections": 2} if as_json else out == "closed 2\n"


@pytest.mark.usefixtures("capsys")
def test_terminal_gets_a_bold_heading(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    Call(Common()).show([], COLUMNS)
    assert capsys.readouterr().out == "\x1b[1mname  messages\x1b[0m\n"


@pytest.mark.parametrize("answer", ["n\n", "\n", "what\n"])
def test_answer_that_is_not_yes_stops(terminal: Terminal, answer: str) -> None:
    terminal.write(answer)
    terminal.seek(0)
    with pytest.raises(Failed, match="nothing was done"):
        Call(Common()).ask("Delete?", False)


@pytest.mark.parametrize("answer", ["y\n", "YES\n"])
def test_yes_goes_on(terminal: Terminal, answer: str, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.write(answer)
    terminal.seek(0)
    Call(Common()).ask("Delete?", False)
    assert capsys.readouterr().out == "Delete? [y/N] "


def test_script_is_not_asked() -> None:
    Call(Common()).ask("Delete?", False)


def test_missing_object_is_named_with_what_is_near(node: FakeNode, ask: Ask) -> None:
    node.get("queues", [{"name": "orders", "vhost": "/"}, {"name": "only", "vhost": "shop"}])
    assert ask("queues", "show", "order").err == (
        "supersoniq: no queue 'order' in virtual host '/': did you mean 'orders'?\n"
    )
    assert (
        ask("queues", "show", "only").err
        == "supersoniq: no queue 'only' in virtual host '/': it is in 'shop'\n"
    )
    assert ask("queues", "show", "xyz").err == "supersoniq: no queue 'xyz' in virtual host '/'\n"
