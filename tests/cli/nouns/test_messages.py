"""`supersoniq messages`."""

import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Ask
from tests.cli.fake_node import FakeNode

GOT = {
    "payload": "hello", "payload_bytes": 5, "payload_encoding": "string", "exchange": "x", "routing_key": "k",
    "redelivered": False, "message_count": 0, "properties": {"delivery_mode": 2},
}  # fmt: skip
PROPERTIES = {"delivery_mode": 2, "type": "t", "headers": {"n": 1}}


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"\xffpiped")))


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        (["body"], {}),
        ([], {"payload": "/3BpcGVk", "payload_encoding": "base64"}),
        (["body", "--transient"], {"properties": {"delivery_mode": 1}}),
        (["body", "-P", "type=t", "-H", "n=1"], {"properties": PROPERTIES}),
    ],
)
@pytest.mark.usefixtures("stdin")
def test_message_is_published(node: FakeNode, ask: Ask, words: list[str], changed: dict[str, Any]) -> None:
    node.accepts("POST", "exchanges///x/publish", {"routed": True})
    assert ask("messages", "publish", "x", "k", *words) == (0, "published\n", "")
    message: dict[str, Any] = {"routing_key": "k", "payload": "body", "payload_encoding": "string"}
    message |= {"properties": {"delivery_mode": 2}} | changed
    assert node.changes() == [("POST", "exchanges///x/publish", message)]


def test_file_is_published_several_times(node: FakeNode, ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("from a file")
    node.accepts("POST", "exchanges///amq.default/publish", {"routed": True})
    said = ask("messages", "publish", "", "q", "--file", str(tmp_path / "f"), "--count", "3")
    assert said == (0, "published 3 messages\n", "")
    assert [body["payload"] for _, _, body in node.changes()] == ["from a file"] * 3


def test_message_that_no_queue_takes_is_exit_code_1(node: FakeNode, ask: Ask) -> None:
    node.accepts("POST", "exchanges///x/publish", {"routed": False})
    assert ask("messages", "publish", "x", "k", "b") == (1, "", "supersoniq: no queue took the message\n")


@pytest.mark.parametrize(
    ("words", "mode"),
    [([], "ack_requeue_false"), (["--requeue"], "ack_requeue_true"), (["--reject"], "reject_requeue_false")],
)
def test_messages_are_taken(node: FakeNode, ask: Ask, words: list[str], mode: str) -> None:
    node.get("queues///q", {})
    node.accepts("POST", "queues///q/get", [GOT])
    out = ask("messages", "get", "q", "--count", "2", *words).out
    assert out.splitlines()[1].split() == ["x", "k", "no", '{"delivery_mode":', "2}", "5", "hello"]
    body = {"count": 2, "ackmode": mode, "encoding": "auto"}
    assert node.changes() == [("POST", "queues///q/get", body)]


def test_empty_queue_says_so(node: FakeNode, ask: Ask) -> None:
    node.get("queues///q", {})
    node.accepts("POST", "queues///q/get", [])
    assert ask("messages", "get", "q") == (0, "", "no message\n")
    assert ask("messages", "get", "q", "--json").out == "[]\n"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["get", "q", "--requeue", "--reject"], 2),
        (["publish", "x", "k", "b", "-f", "f"], 2),
        (["get", "q"], 1),
    ],
)
def test_what_is_wrong_has_its_exit_code(ask: Ask, words: list[str], code: int) -> None:
    assert ask("messages", *words).code == code


WAITING = {"position": 7, "redelivered": False, "arrived_about": "today", **GOT}
BROWSED = {"after": 7, "is_end": False, "messages": [WAITING]}


JOB = {"id": "7", "state": "done", "error": None, "total": 3, "looked_at": 3, "moved": 2, "skipped": 1}


@pytest.fixture
def queue(node: FakeNode) -> None:
    node.get("queues///q", {"messages_ready": 3})
    node.get("queues///q/messages", BROWSED)
    node.accepts("POST", "queues///q/redrive", {"id": "7", "state": "running", "total": 3, "looked_at": 0})
    node.get("jobs/7", JOB)
    node.accepts("DELETE", "queues///q/messages/7")


@pytest.mark.parametrize(
    ("words", "query"),
    [
        (["peek", "q"], "after=0&limit=10"),
        (["peek", "q", "--limit", "2", "--after", "5"], "after=5&limit=2"),
        (["search", "q", "--key", "a.b"], "after=0&limit=50&routing_key=a.b"),
        (
            ["search", "q", "-e", "x", "-t", "hi", "-H", "x-retries:3", "--older", "1.5"],
            "after=0&limit=50&exchange=x&text=hi&header=x-retries%3A3&older_than_ms=1500",
        ),
    ],
)
@pytest.mark.usefixtures("queue")
def test_messages_are_looked_at(node: FakeNode, ask: Ask, words: list[str], query: str) -> None:
    said = ask("messages", *words)
    assert said.code == 0
    assert said.out.splitlines()[1].split()[:4] == ["7", "x", "k", "no"]
    assert said.err == "there may be more: --after 7\n"
    assert node.asked[-1].query == query
    assert node.changes() == []


@pytest.mark.parametrize(
    ("words", "body"),
    [
        (["redrive", "q"], {"to": "origin", "filter": {}}),
        (["redrive", "q", "--to", "exchange", "-n", "5"], {"to": "exchange", "filter": {}, "limit": 5}),
        (
            ["move", "q", "other", "-k", "a", "--rate", "9"],
            {"to": "queue", "queue": "other", "filter": {"routing_key": "a"}, "rate": 9},
        ),
    ],
)
@pytest.mark.usefixtures("queue")
def test_messages_are_moved(node: FakeNode, ask: Ask, words: list[str], body: dict[str, Any]) -> None:
    node.get("queues///other", {})
    said = ask("messages", *words)
    assert said == (0, "moved 2 messages\n", "1 message stayed: there is no place to send them to\n")
    assert node.changes() == [("POST", "queues///q/redrive", {**body, "background": True})]


@pytest.mark.usefixtures("queue")
@pytest.mark.parametrize(
    ("state", "error", "words"),
    [("failed", "because", "failed: because"), ("cancelled", None, "it was cancelled")],
)
def test_move_that_comes_to_no_good_end_is_exit_code_1(
    node: FakeNode, ask: Ask, state: str, error: str | None, words: str
) -> None:
    node.get("jobs/7", {**JOB, "state": state, "error": error})
    assert ask("messages", "redrive", "q") == (1, "", f"supersoniq: moved 2 messages, then {words}\n")


@pytest.mark.usefixtures("queue")
def test_single_messages_are_deleted(node: FakeNode, ask: Ask) -> None:
    assert ask("messages", "delete", "q", "7") == (0, "deleted 1 message\n", "")
    said = ask("messages", "delete", "q", "7", "8", "9")
    assert said == (1, "deleted 1 message\n", "supersoniq: no message waits at position 8, 9\n")


@pytest.mark.parametrize("words", [["peek", "x"], ["move", "q", "x"], ["redrive", "x"], ["delete", "x", "1"]])
@pytest.mark.usefixtures("queue")
def test_missing_queue_is_one_line(ask: Ask, words: list[str]) -> None:
    assert ask("messages", *words) == (1, "", "supersoniq: no queue 'x' in virtual host '/'\n")
