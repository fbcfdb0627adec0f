"""`supersoniq exchanges`."""

import pytest
from tests.cli.conftest import Ask
from tests.cli.fake_node import FakeNode


@pytest.mark.parametrize(("words", "path"), [([], "exchanges"), (["-p", "/"], "exchanges//")])
def test_exchanges_are_listed(node: FakeNode, ask: Ask, words: list[str], path: str) -> None:
    item = {
        "name": "x",
        "vhost": "/",
        "type": "topic",
        "durable": True,
        "auto_delete": False,
        "internal": False,
    }
    rates = {"message_stats": {"publish_in_details": {"rate": 12.0}}}
    node.get(path, {"items": [item | rates], "page_count": 1})
    assert ask("exchanges", *words).out.splitlines()[1].split() == [
        "x",
        "/",
        "topic",
        "yes",
        "no",
        "no",
        "12/s",
    ]


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ([], {}),
        (["-t", "topic", "--transient"], {"type": "topic", "durable": False}),
        (["--auto-delete", "--internal"], {"auto_delete": True, "internal": True}),
        (["-a", "alternate-exchange=y"], {"arguments": {"alternate-exchange": "y"}}),
    ],
)
def test_exchange_is_declared(node: FakeNode, ask: Ask, words: list[str], changed: dict[str, object]) -> None:
    node.get("vhosts//", {})
    node.accepts("PUT", "exchanges///x")
    assert ask("exchanges", "create", "x", *words) == (0, "exchange x is there\n", "")
    plain = {"type": "direct", "durable": True, "auto_delete": False, "internal": False, "arguments": {}}
    assert node.changes() == [("PUT", "exchanges///x", plain | changed)]


def test_exchange_is_shown_and_deleted(node: FakeNode, ask: Ask) -> None:
    node.get("exchanges///x", {"name": "x"})
    node.accepts("DELETE", "exchanges///x")
    assert ask("exchanges", "show", "x").out == "name  x\n"
    assert ask("exchanges", "delete", "x", "--if-unused").code == 0
    assert node.asked[-1].query == "if-unused=true"


def test_missing_exchange_is_one_line(node: FakeNode, ask: Ask) -> None:
    node.get("exchanges", [{"name": "amq.topic", "vhost": "/"}])
    error = "supersoniq: no exchange 'amq.topc' in virtual host '/': did you mean 'amq.topic'?\n"
    assert ask("exchanges", "delete", "amq.topc") == (1, "", error)
