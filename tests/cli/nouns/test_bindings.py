"""`supersoniq bindings`."""

import pytest
from tests.cli.conftest import Ask
from tests.cli.fake_node import FakeNode

BINDING = {
    "source": "x", "vhost": "/", "destination_type": "queue", "destination": "q", "routing_key": "k",
    "arguments": {}, "properties_key": "k~1",
}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ([], "bindings"),
        (["-p", "shop"], "bindings/shop"),
        (["-q", "q"], "queues///q/bindings"),
        (["-e", "x", "-p", "shop"], "exchanges/shop/x/bindings/source"),
    ],
)
def test_bindings_are_listed(node: FakeNode, ask: Ask, words: list[str], path: str) -> None:
    node.get(path, [BINDING])
    assert ask("bindings", *words).out.splitlines()[1].split() == ["x", "/", "queue", "q", "k"]


def test_queue_is_bound(node: FakeNode, ask: Ask) -> None:
    node.accepts("POST", "bindings///e/x/q/q")
    node.accepts("POST", "bindings///e/x/e/y")
    assert ask("bindings", "create", "x", "q", "--key", "k", "-a", "a=1").code == 0
    assert ask("bindings", "create", "x", "y", "--to-exchange").code == 0
    assert node.changes() == [
        ("POST", "bindings///e/x/q/q", {"routing_key": "k", "arguments": {"a": 1}}),
        ("POST", "bindings///e/x/e/y", {"routing_key": "", "arguments": {}}),
    ]


@pytest.mark.parametrize(("words", "keys"), [([], ["k~1", "other"]), (["-k", "k"], ["k~1"])])
def test_bindings_are_deleted(node: FakeNode, ask: Ask, words: list[str], keys: list[str]) -> None:
    other = BINDING | {"routing_key": "other", "properties_key": "other"}
    node.get("bindings///e/x/q/q", [BINDING, other])
    for key in ("k~1", "other"):
        node.accepts("DELETE", f"bindings///e/x/q/q/{key}")
    assert ask("bindings", "delete", "x", "q", *words).code == 0
    assert [path.rpartition("/")[2] for _, path, _ in node.changes()] == keys


@pytest.mark.parametrize(
    ("known", "error"),
    [([], "no exchange 'x' in virtual host '/'"), (["exchanges///x"], "no queue 'q' in virtual host '/'")],
)
@pytest.mark.parametrize("verb", ["create", "delete"])
def test_end_that_is_missing_is_named(
    node: FakeNode, ask: Ask, known: list[str], error: str, verb: str
) -> None:
    for path in known:
        node.get(path, {})
    assert ask("bindings", verb, "x", "q") == (1, "", f"supersoniq: {error}\n")


def test_binding_that_is_not_there_is_one_line(node: FakeNode, ask: Ask) -> None:
    node.get("bindings///e/x/q/q", [BINDING])
    said = ask("bindings", "delete", "x", "q", "-k", "no")
    assert said == (1, "", "supersoniq: no binding leads from exchange x to q\n")
