"""`supersoniq parameters`."""

import pytest
from tests.cli.conftest import Ask
from tests.cli.fake_node import FakeNode


def test_parameters_are_listed(node: FakeNode, ask: Ask) -> None:
    rows = [{"component": "c", "vhost": vhost, "name": "n", "value": {"a": 1}} for vhost in ("/", "shop")]
    node.get("parameters", rows)
    node.get("global-parameters", [{"name": "g", "value": "text"}])
    assert len(ask("parameters").out.splitlines()) == 3
    assert ask("parameters", "-p", "shop").out.splitlines()[1:] == ['c          shop   n     {"a": 1}']
    assert ask("parameters", "list-global").out.splitlines()[1:] == ["g     text"]


def test_parameter_is_set_and_deleted(node: FakeNode, ask: Ask) -> None:
    node.get("vhosts//", {})
    node.accepts("PUT", "parameters/c///n")
    node.accepts("DELETE", "parameters/c///n")
    assert ask("parameters", "set", "c", "n", '{"a": 1}').code == 0
    assert ask("parameters", "delete", "c", "n").code == 0
    body = {"component": "c", "vhost": "/", "name": "n", "value": {"a": 1}}
    assert node.changes() == [("PUT", "parameters/c///n", body), ("DELETE", "parameters/c///n", None)]


def test_global_parameter_is_set_and_deleted(node: FakeNode, ask: Ask) -> None:
    node.accepts("PUT", "global-parameters/g")
    node.accepts("DELETE", "global-parameters/g")
    assert ask("parameters", "set-global", "g", "[1]").code == 0
    assert ask("parameters", "delete-global", "g").code == 0
    assert node.changes()[0] == ("PUT", "global-parameters/g", {"name": "g", "value": [1]})


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["set", "c", "n", "{"], 2, "the value is not JSON: "),
        (["set-global", "n", "text"], 2, "the value is not JSON: "),
        (["delete", "c", "n"], 1, "no parameter n of c in virtual host /"),
        (["delete-global", "n"], 1, "no global parameter n"),
    ],
)
def test_what_is_wrong_is_one_line(node: FakeNode, ask: Ask, words: list[str], code: int, error: str) -> None:
    node.get("vhosts//", {})
    said = ask("parameters", *words)
    assert said.code == code
    assert said.err.startswith(f"supersoniq: {error}")
