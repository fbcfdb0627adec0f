"""Lists: columns, order, pages, and names."""

import asyncio
import json
from typing import Any

import pytest

from supersoniq.management.listing import (
    PIECE_BYTES,
    Lister,
    Pieces,
    chosen,
    query_of,
)
from supersoniq.server.slices import Slices


async def sent(response: Pieces) -> list[bytes]:
    """The bodies of the messages that a server would send."""
    bodies: list[bytes] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            bodies.append(message["body"])

    async def receive() -> Any:
        raise AssertionError

    await response({"type": "http"}, receive, send)
    return bodies


def listed(items: list[dict[str, Any]], **query: str) -> Any:
    """What a list of objects answers."""

    async def answer() -> Any:
        lister = Lister[dict[str, Any]](lambda item, _: item, lambda item: item["name"])
        response = await lister.answer(items, query_of(query), Slices())
        assert isinstance(response, Pieces)
        content = b"".join(await sent(response))
        assert int(response.headers["content-length"]) == len(content)
        return json.loads(content)

    return asyncio.run(answer())


ITEMS: list[dict[str, Any]] = [
    {"name": "a", "n": 3, "deep": {"er": 1, "other": 2}},
    {"name": "b", "n": None},
    {"name": "c", "n": 1.5},
    {"name": "d", "n": "text"},
    {"name": "e"},
    {"name": "f", "n": [1]},
]


def test_without_a_query_everything_comes() -> None:
    assert listed(ITEMS) == ITEMS
    assert listed([]) == []


def test_columns_choose_fields_also_deep_ones() -> None:
    fields = {"a": 1, "b": {"c": 2, "d": {"e": 3}}, "f": 4}
    for columns, expected in (
        ("a", {"a": 1}),
        ("b.c,a", {"b": {"c": 2}, "a": 1}),
        ("b.c,b.d.e", {"b": {"c": 2, "d": {"e": 3}}}),
        ("b.d.nope", {"b": {"d": {}}}),
        ("b,b.c", {"b": {"c": 2, "d": {"e": 3}}}),
        ("a.x", []),
        ("nope", []),
        ("", []),
    ):
        assert chosen(fields, query_of({"columns": columns}).columns or ()) == expected, columns
    assert fields == {"a": 1, "b": {"c": 2, "d": {"e": 3}}, "f": 4}


def test_order_has_numbers_before_what_is_missing_before_text() -> None:
    assert [item["name"] for item in listed(ITEMS, sort="n")] == ["c", "a", "b", "e", "f", "d"]
    assert [item["name"] for item in listed(ITEMS, sort="n", sort_reverse="true")] == list("dfebac")
    assert [item["name"] for item in listed(ITEMS, sort="deep.er", columns="name")] == list("abcdef")


@pytest.mark.parametrize(("number", "size", "names"), [(1, 4, "abcd"), (2, 4, "ef"), (1, 500, "abcdef")])
def test_page_is_a_part(number: int, size: int, names: str) -> None:
    page = listed(ITEMS, page=str(number), page_size=str(size))
    assert "".join(item["name"] for item in page["items"]) == names
    assert (page["item_count"], page["total_count"]) == (len(names), 6)
    assert page["page_count"] == -(-6 // size)


def test_names_are_found_by_a_part_or_a_pattern() -> None:
    assert [item["name"] for item in listed(ITEMS, page="1", name="b")["items"]] == ["b"]
    assert [item["name"] for item in listed(ITEMS, page="1", name="[ac]", use_regex="true")["items"]] == [
        "a",
        "c",
    ]
    assert listed(ITEMS, page="1", name="[ac]")["items"] == []


def test_large_answer_is_handed_over_in_pieces() -> None:
    pieces = [b"x" * 1000] * 1000
    bodies = asyncio.run(sent(Pieces(pieces, Slices())))
    assert b"".join(bodies) == b"".join(pieces)
    assert max(len(body) for body in bodies) < PIECE_BYTES + 1000
