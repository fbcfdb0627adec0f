"""rabbitmqctl's words that act on queues, connections and definitions."""

import json
import sys
from io import StringIO
from pathlib import Path

import pytest
from tests.cli.ctl.conftest import NODE, Ctl
from tests.cli.fake_node import FakeNode

from supersoniq.cli.ctl.pids import pid_of

NAMES = ["a -> s", "b -> s", "c -> s"]
DEFINITIONS = {"vhosts": [{"name": "ü"}]}


@pytest.fixture(autouse=True)
def known(node: FakeNode) -> None:
    node.get("queues/shop/orders", {"name": "orders", "messages_ready": 3})
    for path in (
        "queues/shop/orders",
        "queues/shop/orders/contents",
        *[f"connections/{name}" for name in NAMES],
    ):
        node.accepts("DELETE", path)
    owners = [("ann", "/"), ("ann", "shop"), ("bob", "shop")]
    node.get(
        "connections",
        [
            {"name": name, "user": user, "vhost": vhost}
            for name, (user, vhost) in zip(NAMES, owners, strict=True)
        ],
    )
    node.get("definitions", DEFINITIONS)
    node.accepts("POST", "definitions")


def closed(node: FakeNode) -> list[str]:
    return [path.partition("/")[2] for method, path, _ in node.changes()]


def test_queue_is_purged(ctl: Ctl) -> None:
    out = "Purging queue 'orders' in vhost 'shop' ...\n"
    assert ctl("purge_queue", "orders", "-p", "shop") == (0, out, "")
    assert ctl("purge_queue", "gone", "-q") == (69, "", "Error:\nnot_found\n\n")


@pytest.mark.parametrize(
    ("tokens", "condition", "query"),
    [
        ([], "", ""),
        (["--if-empty"], " if queue is empty", "if-empty=true"),
        (["-u"], " if queue is unused", "if-unused=true"),
        (["-e", "-u"], " if queue is empty and if queue is unused", "if-empty=true&if-unused=true"),
    ],
)
def test_queue_is_deleted(ctl: Ctl, node: FakeNode, tokens: list[str], condition: str, query: str) -> None:
    said = ctl("delete_queue", "orders", "-p", "shop", *tokens)
    assert said.out == (
        f"Deleting queue 'orders' on vhost 'shop'{condition} ...\n"
        "Queue was successfully deleted with 3 ready messages\n"
    )
    assert node.asked[-1].query == query


@pytest.mark.parametrize(
    ("reason", "code", "err"),
    [
        ("queue 'orders' in vhost 'shop' in use", 64, "Error:\nQueue is in use\n\n"),
        ("queue 'orders' in vhost 'shop' not empty", 64, "Error:\nQueue is not empty\n\n"),
        ("something else", 69, "Error:\nsomething else\n\n"),
    ],
)
def test_queue_that_is_used_stays(ctl: Ctl, node: FakeNode, reason: str, code: int, err: str) -> None:
    node.answers["DELETE", "queues/shop/orders"] = 400, {"error": "bad_request", "reason": reason}
    said = ctl("delete_queue", "orders", "-p", "shop")
    assert (said.code, said.err) == (code, err)


def test_missing_queue_is_not_found(ctl: Ctl) -> None:
    assert ctl("delete_queue", "gone", "-q") == (64, "", "Error:\nQueue not found\n\n")


@pytest.mark.parametrize("pid", [pid_of(NODE, "b -> s"), "b -> s"])
def test_connection_is_closed_by_its_pid(ctl: Ctl, node: FakeNode, pid: str) -> None:
    assert ctl("close_connection", pid, "bye now") == (
        0,
        f"Closing connection {pid}, reason: bye now...\n",
        "",
    )
    assert closed(node) == ["b -> s"]
    assert node.asked[-1].headers["x-reason"] == "bye now"


def test_pid_of_nothing_closes_nothing(ctl: Ctl, node: FakeNode) -> None:
    assert ctl("close_connection", "<rabbit@x.1.2.0>", "bye").code == 0
    assert closed(node) == []


@pytest.mark.parametrize(
    ("tokens", "names", "out"),
    [
        (
            ["-p", "shop"],
            NAMES[1:],
            "Closing all connections in vhost shop, reason: bye...\nClosed 2 connections\n",
        ),
        (["--global"], NAMES, "Closing all connections, reason: bye...\nClosed 3 connections\n"),
        (
            ["--global", "--limit", "1"],
            NAMES[:1],
            "Closing 1 connections, reason: bye...\nClosed 1 connections\n",
        ),
        (["--per-connection-delay", "1", "-q"], NAMES[:1], "Closed 1 connections\n"),
    ],
)
def test_all_connections_are_closed(
    ctl: Ctl, node: FakeNode, tokens: list[str], names: list[str], out: str
) -> None:
    assert ctl("close_all_connections", *tokens, "bye") == (0, out, "")
    assert closed(node) == names


def test_connections_of_a_user_are_closed(ctl: Ctl, node: FakeNode) -> None:
    said = ctl("close_all_user_connections", "ann", "bye")
    assert said == (0, "Closing connections of user ann, reason: bye...\n", "")
    assert closed(node) == NAMES[:2]


def test_connection_that_has_gone_is_no_error(ctl: Ctl, node: FakeNode) -> None:
    del node.answers["DELETE", "connections/a -> s"]
    assert ctl("close_all_connections", "bye").code == 0


def test_definitions_are_exported(ctl: Ctl, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    out = f'Exporting definitions in JSON to a file at "{path}" ...\n'
    assert ctl("export_definitions", str(path)) == (0, out, "")
    assert json.loads(path.read_text()) == DEFINITIONS
    assert json.loads(ctl("export_definitions", "-").out) == DEFINITIONS


def test_definitions_are_imported(
    ctl: Ctl, node: FakeNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "in.json"
    path.write_text(json.dumps(DEFINITIONS))
    assert ctl("import_definitions", str(path)).code == 0
    monkeypatch.setattr(sys, "stdin", StringIO(json.dumps(DEFINITIONS)))
    assert ctl("import_definitions").code == 0
    assert node.changes() == [("POST", "definitions", DEFINITIONS)] * 2


@pytest.mark.parametrize(
    ("tokens", "code", "text"),
    [
        (["export_definitions", "/nosuch/x"], 65, "Bad argument: Directory /nosuch does not exist"),
        (["import_definitions", "/nosuch/x"], 65, "Bad argument: File /nosuch/x does not exist"),
        (["import_definitions", __file__], 65, f"Failed to parse the file {__file__}: "),
        (["export_definitions", "-", "--format", "erlang"], 65, "Erlang's is not known here"),
        (["export_definitions", "-", "--format", "xml"], 65, "Format should be either json or erlang"),
    ],
)
def test_file_that_cannot_be_used_is_told(ctl: Ctl, tokens: list[str], code: int, text: str) -> None:
    said = ctl(*tokens)
    assert said.code == code
    assert text in said.err
