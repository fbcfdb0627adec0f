"""typer's side of the commands: help, mistakes, and the same effect as a plain call."""

import pytest
from tests.cli.fake_node import FakeNode
from typer.testing import CliRunner

from supersoniq.cli.app import app
from supersoniq.cli.remote.registry import NOUNS, SINGLE, verbs_of


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()


@pytest.mark.parametrize("noun", NOUNS)
def test_help_of_a_noun_lists_its_verbs(noun: str, runner: CliRunner) -> None:
    result = runner.invoke(app, [noun, "--help"])
    assert result.exit_code == 0
    for verb, command in verbs_of(noun).items():
        assert f"  {verb} " in result.output
        help_ = runner.invoke(app, [noun, verb, "--help"])
        assert help_.exit_code == 0
        assert (command.__doc__ or "").split(".")[0][:30] in help_.output


@pytest.mark.parametrize("name", SINGLE)
def test_help_of_a_single_command(name: str, runner: CliRunner) -> None:
    result = runner.invoke(app, [name, "--help"])
    assert result.exit_code == 0
    assert "--json" in result.output


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (["queues", "lsit"], "No such command 'lsit'"),
        (["queues", "create"], "Missing argument 'QUEUE'"),
        (["queues", "list", "--limit", "x"], "Invalid value for '--limit'"),
        (["queues", "list", "--bogus"], "No such option: --bogus"),
        (["policies", "set", "n", "p", "{}", "--apply-to", "x"], "is not one of"),
    ],
)
def test_mistake_is_explained_with_exit_code_2(runner: CliRunner, tokens: list[str], text: str) -> None:
    result = runner.invoke(app, tokens)
    assert result.exit_code == 2
    assert text in result.output
    assert "Traceback" not in result.output


def test_odd_spelling_has_the_same_effect(runner: CliRunner, node: FakeNode) -> None:
    node.get("vhosts/shop", {"name": "shop"})
    node.accepts("PUT", "queues/shop/q")
    words = [
        "queues",
        "create",
        "q",
        "-pshop",
        "-ax=1",
        "-ay=a",
        "--transient",
        "--data-dir",
        str(node.directory),
    ]
    result = runner.invoke(app, words)
    assert (result.exit_code, result.output) == (0, "queue q is there\n")
    body = {"durable": False, "auto_delete": False, "arguments": {"x": 1, "y": "a"}}
    assert node.changes() == [("PUT", "queues/shop/q", body)]


def test_exit_code_comes_through(runner: CliRunner, node: FakeNode) -> None:
    assert (
        runner.invoke(app, ["queues", "show", "q", "-pshop", "--data-dir", str(node.directory)]).exit_code
        == 1
    )
