"""`supersoniq ctl` among typer's commands."""

from tests.cli.fake_node import FakeNode
from typer.testing import CliRunner

from supersoniq.cli.app import app
from supersoniq.cli.ctl.typed import words


def test_everything_is_handed_on(node: FakeNode) -> None:
    node.get("users", [{"name": "ann", "tags": []}])
    result = CliRunner().invoke(app, ["ctl", "-q", "list_users", "--data-dir", str(node.directory)])
    assert (result.exit_code, result.output) == (0, "user\ttags\nann\t[]\n")
    assert CliRunner().invoke(app, ["ctl", "list_users", "--bogus"]).exit_code == 64


def test_words_are_completed() -> None:
    assert words("list_q") == ["list_queues"]
