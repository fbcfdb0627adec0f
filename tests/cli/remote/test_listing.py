"""Listings: which objects, columns and order."""

import json
from typing import Any

import pytest
from tests.cli.conftest import Ask
from tests.cli.fake_node import FakeNode

from supersoniq.cli.remote.call import WrongUse
from supersoniq.cli.remote.cells import Column, count_column
from supersoniq.cli.remote.listing import chosen_columns, in_order

QUEUES = [
    {"name": "b", "vhost": "/", "messages": 5, "arguments": {"x": 1}},
    {"name": "a", "vhost": "/", "messages": 50},
    {"name": "c", "vhost": "/"},
]


@pytest.fixture(autouse=True)
def queues(node: FakeNode) -> None:
    node.get("queues", {"items": QUEUES, "page_count": 1})


def names(out: str) -> list[str]:
    return [line.split()[0] for line in out.splitlines()[1:]]


def test_match_is_the_nodes_job(node: FakeNode, ask: Ask) -> None:
    assert ask("queues", "--match", "^a").code == 0
    assert node.asked[0].query == "page=1&page_size=500&name=%5Ea&use_regex=true"


def test_listing_without_pages_is_matched_here(node: FakeNode, ask: Ask) -> None:
    node.get("vhosts", [{"name": "shop"}, {"name": "/"}])
    assert names(ask("vhosts", "-m", "^s").out) == ["shop"]


def test_wrong_pattern_is_exit_code_2(ask: Ask) -> None:
    said = ask("queues", "--match", "(")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("supersoniq: --match ( is no regular expression: ")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ["b", "a", "c"]),
        (["--sort", "name"], ["a", "b", "c"]),
        (["--sort", "messages"], ["b", "a", "c"]),
        (["--sort", "messages", "--reverse"], ["a", "b", "c"]),
        (["--sort", "name", "--limit", "2"], ["a", "b"]),
        (["--reverse"], ["c", "a", "b"]),
        (["--limit", "0"], []),
    ],
)
def test_order_is_as_asked_for(ask: Ask, words: list[str], expected: list[str]) -> None:
    assert names(ask("queues", *words).out) == expected


def test_columns_are_titles_or_fields(ask: Ask) -> None:
    said = ask("queues", "--columns", "name, arguments.x,messages", "--limit", "1")
    assert said.out.splitlines() == ["name  arguments.x  messages", "b     1                   5"]


def test_json_has_the_columns_that_were_asked_for(ask: Ask) -> None:
    said = ask("queues", "-c", "name,ready", "--limit", "1", "--json")
    assert json.loads(said.out) == [{"name": "b", "messages_ready": None}]
    assert json.loads(ask("queues", "--json").out) == QUEUES


def test_unknown_column_is_exit_code_2_and_lists_them(ask: Ask) -> None:
    said = ask("queues", "--columns", "size")
    assert said.code == 2
    assert said.err.startswith("supersoniq: no column size: there are name, vhost, type, ")


def test_column_of_an_empty_listing_is_not_judged() -> None:
    assert chosen_columns("size", [], []) == [Column("size", "size")]
    with pytest.raises(WrongUse):
        chosen_columns("size", [count_column("n", "name")], [{"name": 1}])


def test_texts_and_numbers_are_sorted_together() -> None:
    items: list[dict[str, Any]] = [{"v": "b"}, {"v": 2}, {"v": "A"}, {}, {"v": 10}]
    assert in_order(items, "v", False) == [{"v": 2}, {"v": 10}, {"v": "A"}, {"v": "b"}, {}]
