"""`supersoniq queues`."""

import json

import pytest
from tests.cli.conftest import Ask
from tests.cli.fake_node import FakeNode

ORDERS = {
    "name": "orders", "vhost": "/", "type": "classic", "state": "running", "messages_ready": 1200,
    "messages_unacknowledged": 3, "messages": 1203, "consumers": 2, "policy": "limits",
    "message_stats": {"publish_details": {"rate": 0.5}, "deliver_get_details": {"rate": 10.0}},
}  # fmt: skip


@pytest.fixture(autouse=True)
def known(node: FakeNode) -> None:
    node.get("vhosts//", {})
    node.get("queues///orders", ORDERS)
    for method, path in (("PUT", ""), ("PATCH", ""), ("DELETE", ""), ("DELETE", "/contents")):
        node.accepts(method, f"queues///orders{path}")


def test_queues_are_listed(node: FakeNode, ask: Ask) -> None:
    node.get("queues", {"items": [ORDERS], "page_count": 1})
    assert ask("queues").out.splitlines() == [
        "name    vhost  type     state    ready  unacked  messages  consumers     in   out  policy",
        "orders  /      classic  running  1,200        3     1,203          2  0.5/s  10/s  limits",
    ]


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ([], {}),
        (["-t", "quorum"], {"arguments": {"x-queue-type": "quorum"}}),
        (["--transient", "--auto-delete"], {"durable": False, "auto_delete": True}),
        (["-a", "x-max-length=5"], {"arguments": {"x-max-length": 5}}),
    ],
)
def test_queue_is_declared(node: FakeNode, ask: Ask, words: list[str], changed: dict[str, object]) -> None:
    assert ask("queues", "create", "orders", *words) == (0, "queue orders is there\n", "")
    plain = {"durable": True, "auto_delete": False, "arguments": {}}
    assert node.changes() == [("PUT", "queues///orders", plain | changed)]


def test_arguments_are_changed_in_place(node: FakeNode, ask: Ask) -> None:
    assert ask("queues", "change", "orders", "-a", "x-max-length=5", "-a", "x-expires=null").code == 0
    body = {"arguments": {"x-max-length": 5, "x-expires": None}}
    assert node.changes() == [("PATCH", "queues///orders", body)]
    assert ask("queues", "change", "orders").code == 2


def test_queue_is_purged_and_deleted(node: FakeNode, ask: Ask) -> None:
    assert ask("queues", "purge", "orders") == (0, "queue orders is purged\n", "")
    assert ask("queues", "delete", "orders", "--if-unused") == (0, "queue orders is deleted\n", "")
    assert [(asked.path, asked.query) for asked in node.asked if asked.method == "DELETE"] == [
        ("queues///orders/contents", ""),
        ("queues///orders", "if-unused=true"),
    ]


def test_json_says_how_many_messages_went(ask: Ask) -> None:
    assert json.loads(ask("queues", "delete", "orders", "--json").out)["messages"] == 1203


def test_refused_deletion_is_one_line(node: FakeNode, ask: Ask) -> None:
    node.answers["DELETE", "queues///orders"] = (
        400,
        {"error": "bad_request", "reason": "queue 'orders' not empty"},
    )
    said = ask("queues", "delete", "orders", "--if-empty")
    assert said == (1, "", "supersoniq: queue 'orders' not empty\n")


@pytest.mark.parametrize("verb", ["show", "purge", "delete"])
def test_missing_queue_is_one_line(ask: Ask, verb: str) -> None:
    assert ask("queues", verb, "x") == (1, "", "supersoniq: no queue 'x' in virtual host '/'\n")
