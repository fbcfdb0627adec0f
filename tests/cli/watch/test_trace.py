"""`supersoniq trace`: a queue of its own for a while, and a line a message."""

import json
from typing import Any

import pytest
from tests.cli.conftest import Ask
from tests.cli.fake_node import Asked, FakeNode

from supersoniq.cli.watch.trace import line_of

PUBLISHED = {
    "routing_key": "publish.orders", "payload": "hello", "payload_encoding": "string",
    "properties": {
        "headers": {
            "exchange_name": "orders", "routing_keys": ["a.b"], "routed_queues": ["q1", "q2"], "user": "ann",
            "properties": {"content_type": "text/plain", "headers": {}},
        }
    },
}  # fmt: skip
DELIVERED = {
    "routing_key": "deliver.q1", "payload": "hello", "payload_encoding": "string",
    "properties": {"headers": {"exchange_name": "orders", "routing_keys": ["a.b"], "redelivered": 1}},
}  # fmt: skip


@pytest.fixture
def traced(node: FakeNode) -> list[str]:
    """A node that traces; the names of queues that were declared, without their own part."""
    declared: list[str] = []

    def answer(asked: Asked) -> tuple[int, Any]:
        path = asked.path
        name = path.split("/")[3] if path.startswith("queues") else path.rpartition("/")[2]
        for method, part, value in (
            ("POST", f"queues///{name}/get", (200, [PUBLISHED, DELIVERED])),
            ("POST", f"bindings///e/amq.rabbitmq.trace/q/{name}", (201, None)),
            ("DELETE", f"queues///{name}", (204, None)),
        ):
            node.answers[method, part] = value
        declared.append(name)
        return 201, None

    node.get("vhosts//", {"tracing": False})
    node.accepts("PUT", "vhosts//")
    node.answers = _Answers(node.answers, answer)
    return declared


class _Answers(dict[Any, Any]):
    """Answers a PUT of any queue."""

    def __init__(self, known: dict[Any, Any], declare: Any) -> None:
        super().__init__(known)
        self._declare = declare

    def get(self, key: Any, default: Any = None) -> Any:
        if key[0] == "PUT" and key[1].startswith("queues///"):
            return self._declare
        return super().get(key, default)


def test_messages_are_printed_and_nothing_is_left(node: FakeNode, ask: Ask, traced: list[str]) -> None:
    said = ask("trace", "--count", "2")
    assert said.code == 0, said.err
    assert len(said.out.splitlines()) == 2
    assert traced[0].startswith("supersoniq-trace-")
    changes = [(method, path.replace(traced[0], "QUEUE"), body) for method, path, body in node.changes()]
    assert changes == [
        ("PUT", "vhosts//", {"tracing": True}),
        (
            "PUT",
            "queues///QUEUE",
            {"durable": False, "arguments": {"x-expires": 30000, "x-max-length": 10000}},
        ),
        ("POST", "bindings///e/amq.rabbitmq.trace/q/QUEUE", {"routing_key": "#"}),
        ("POST", "queues///QUEUE/get", {"count": 2, "ackmode": "ack_requeue_false", "encoding": "auto"}),
        ("DELETE", "queues///QUEUE", None),
        ("PUT", "vhosts//", {"tracing": False}),
    ]


@pytest.mark.usefixtures("traced")
def test_tracing_that_was_on_stays_on(node: FakeNode, ask: Ask) -> None:
    node.answers["GET", "vhosts//"] = 200, {"tracing": True}
    assert ask("trace", "-n", "1", "-e", "orders", "-q", "q1").code == 0
    assert [body for method, path, body in node.changes() if path == "vhosts//"] == []
    keys = [body["routing_key"] for method, path, body in node.changes() if path.startswith("bindings")]
    assert keys == ["publish.orders", "deliver.q1"]


@pytest.mark.usefixtures("traced")
def test_json_is_a_line_a_message(ask: Ask) -> None:
    events = [json.loads(line) for line in ask("trace", "-n", "2", "--json").out.splitlines()]
    assert [(event["event"], event["name"], event["payload"]) for event in events] == [
        ("publish", "orders", "hello"),
        ("deliver", "q1", "hello"),
    ]


@pytest.mark.usefixtures("traced")
def test_tracing_ends_with_the_command_also_when_it_fails(node: FakeNode, ask: Ask) -> None:
    node.accepts("PUT", "vhosts//")
    node.answers["POST", "bindings"] = 500, None
    node.answers = _Answers(dict(node.answers), (400, {"error": "x", "reason": "queue limit"}))
    said = ask("trace", "-n", "1")
    assert (said.code, said.err.splitlines()[-1]) == (1, "supersoniq: queue limit")
    assert node.changes()[-1] == ("PUT", "vhosts//", {"tracing": False})


def test_line_says_who_and_where() -> None:
    assert line_of(PUBLISHED).split("  ", 1)[1] == (
        "publish to 'orders' with 'a.b' by ann → q1, q2  {\"content_type\": \"text/plain\"}  hello"
    )
    again = "deliver again from 'q1', published to 'orders' with 'a.b'  hello"
    assert line_of(DELIVERED).split("  ", 1)[1] == again
