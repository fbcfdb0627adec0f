"""`supersoniq top`: what it asks for, and what it shows."""

import json
from io import StringIO

import pytest
from rich.console import Console
from tests.cli.conftest import Ask
from tests.cli.fake_node import FakeNode

from supersoniq.cli.watch.top import render, summary

QUEUES = [
    {"name": "quiet", "vhost": "/", "messages": 5},
    {"name": "busy", "vhost": "/", "messages": 1, "message_stats": {"publish_details": {"rate": 50.0}}},
    {"name": "\x1b[2Jevil", "vhost": "/", "messages": 0},
]
SEEN = {
    "overview": {
        "node": "n",
        "object_totals": {"queues": 3},
        "message_stats": {"publish_details": {"rate": 7.5}},
    },
    "nodes": [{"name": "n", "mem_used": 2048, "mem_limit": 1024, "mem_alarm": True, "disk_free": 1024}],
    "queues": QUEUES,
    "connections": [{"name": "a -> s", "user": "ann"}],
}


@pytest.fixture(autouse=True)
def known(node: FakeNode) -> None:
    node.get("overview", SEEN["overview"])
    node.get("nodes", SEEN["nodes"])
    node.get("queues", {"items": QUEUES, "page_count": 1})
    node.get("connections", {"items": SEEN["connections"], "page_count": 1})


def test_pipe_gets_one_look(ask: Ask) -> None:
    said = ask("top")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].startswith("n  ")
    names = [line.split()[0] for line in lines[lines.index("") + 2 :] if line]
    assert names == ["busy", "quiet", "\\x1b[2Jevil", "name", "a"]


@pytest.mark.parametrize(
    ("sort", "query"),
    [
        ("messages", "sort=messages&sort_reverse=true&page=1&page_size=20"),
        ("name", "sort=name&sort_reverse=false&page=1&page_size=20"),
    ],
)
def test_node_sorts_and_cuts(node: FakeNode, ask: Ask, sort: str, query: str) -> None:
    assert ask("top", "--sort", sort).code == 0
    assert query in [asked.query for asked in node.asked if asked.path == "queues"]


def test_json_has_everything(ask: Ask) -> None:
    assert set(json.loads(ask("top", "--json").out)) == {"overview", "nodes", "queues", "connections"}


def test_summary_has_totals_and_alarms() -> None:
    lines = summary(SEEN)
    assert "memory 2.0 KiB, disk free 1.0 KiB" in lines[0]
    assert "7.5/s in" in lines[1]
    assert lines[2] == "memory alarm: 2.0 KiB used, the limit is 1.0 KiB"


def test_page_fits_into_the_terminal() -> None:
    out = StringIO()
    Console(file=out, width=80, force_terminal=False).print(render(SEEN, 2))
    lines = out.getvalue().splitlines()
    assert max(len(line) for line in lines) <= 80
    assert any("busy" in line for line in lines)
    assert "evil" not in out.getvalue()
