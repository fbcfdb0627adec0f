"""`supersoniq policies`."""

import pytest
from tests.cli.conftest import Ask
from tests.cli.fake_node import FakeNode

POLICY = {
    "vhost": "/",
    "name": "p",
    "pattern": "^a",
    "apply-to": "queues",
    "priority": 3,
    "definition": {"expires": 1},
}


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ([], "policies"),
        (["-p", "/"], "policies//"),
        (["--operator"], "operator-policies"),
        (["-o", "-p", "shop"], "operator-policies/shop"),
    ],
)
def test_policies_are_listed(node: FakeNode, ask: Ask, words: list[str], path: str) -> None:
    node.get(path, [POLICY])
    assert (
        ask("policies", *words).out.splitlines()[1]
        == 'p     /      ^a       queues           3  {"expires": 1}'
    )


@pytest.mark.parametrize(("words", "kind"), [([], "policies"), (["--operator"], "operator-policies")])
def test_policy_is_set_and_deleted(node: FakeNode, ask: Ask, words: list[str], kind: str) -> None:
    node.get("vhosts//", {})
    node.accepts("PUT", f"{kind}///p")
    node.accepts("DELETE", f"{kind}///p")
    set_ = ["set", "p", "^a", '{"expires": 1}', "--priority", "3", "--apply-to", "queues"]
    assert ask("policies", *set_, *words).code == 0
    assert ask("policies", "delete", "p", *words).code == 0
    body = {"pattern": "^a", "definition": {"expires": 1}, "priority": 3, "apply-to": "queues"}
    assert node.changes() == [("PUT", f"{kind}///p", body), ("DELETE", f"{kind}///p", None)]


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["set", "p", "", "{"], 2, "the definition is not JSON: "),
        (["set", "p", "", "[]"], 2, "the definition is not a JSON object"),
        (["set", "p", "", "{}", "-p", "x"], 1, "no virtual host 'x'"),
        (["delete", "p"], 1, "no policy 'p' in virtual host '/'"),
        (["delete", "p", "-o"], 1, "no operator policy 'p' in virtual host '/'"),
    ],
)
def test_what_is_wrong_is_one_line(node: FakeNode, ask: Ask, words: list[str], code: int, error: str) -> None:
    node.get("vhosts//", {})
    said = ask("policies", *words)
    assert said.code == code
    assert said.err.startswith(f"supersoniq: {error}")
