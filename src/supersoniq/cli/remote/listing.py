"""Listings: which objects, which columns of them, in which order."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from supersoniq.cli.remote.call import Call, WrongUse
from supersoniq.cli.remote.cells import Column, Item, value_at
from supersoniq.cli.remote.words import Option


class Selection(NamedTuple):
    """The words that listings take."""

    match: Annotated[
        str | None, Option(("--match", "-m"), "Only names that this regular expression finds.", "REGEX")
    ] = None
    columns: Annotated[
        str, Option(("--columns", "-c"), "Columns to show: titles, or fields of the API as in a.b.", "A,B")
    ] = ""
    sort: Annotated[str, Option(("--sort", "-s"), "Column to sort by.", "COLUMN")] = ""
    reverse: Annotated[bool, Option(("--reverse", "-r"), "Sort from the highest to the lowest.")] = False
    limit: Annotated[int | None, Option(("--limit", "-n"), "Show that many at most.", "COUNT")] = None


class Listing(NamedTuple):
    """A kind of object that the API lists."""

    columns: Sequence[Column]
    name: str = "name"  # the field that --match looks at
    has_pages: bool = False


def show_list(
    call: Call, listing: Listing, parts: Sequence[str], selection: Selection, vhost: str | None = None
) -> None:
    """Print the objects at a path of the API that `selection` wants; only of `vhost` if it is given."""
    items = _chosen(call, listing, parts, selection, vhost)
    columns = listing.columns
    if selection.columns:
        columns = chosen_columns(selection.columns, listing.columns, items)
        if call.as_json:
            items = [{column.path: value_at(item, column.path) for column in columns} for item in items]
    call.show(items, columns)


def _chosen(
    call: Call, listing: Listing, parts: Sequence[str], selection: Selection, vhost: str | None
) -> list[Item]:
    query: dict[str, object] = {}
    if selection.match is not None and listing.has_pages:
        query = {"name": selection.match, "use_regex": True}
    pattern = _pattern(selection.match)
    items = call.api.listed(*parts, **query) if listing.has_pages else call.api.get(*parts)
    if vhost is not None:
        items = [item for item in items if item.get("vhost") == vhost]
    if pattern is not None:
        items = [item for item in items if pattern.search(str(value_at(item, listing.name) or ""))]
    if selection.sort:
        path = chosen_columns(selection.sort, listing.columns, items)[0].path
        items = in_order(items, path, selection.reverse)
    elif selection.reverse:
        items = items[::-1]
    return items[: selection.limit] if selection.limit is not None else items


def _pattern(match: str | None) -> re.Pattern[str] | None:
    try:
        return None if match is None else re.compile(match)
    except re.error as error:
        raise WrongUse(f"--match {match} is no regular expression: {error}") from None


def in_order(items: Sequence[Item], path: str, is_reverse: bool) -> list[Item]:
    """The items sorted by the value at `path`; those without one come last."""

    def has(item: Item) -> bool:
        return value_at(item, path) is not None

    def key(item: Item) -> tuple[bool, Any]:
        value = value_at(item, path)
        is_text = not isinstance(value, int | float)
        return is_text, str(value).lower() if is_text else value

    ordered = sorted([item for item in items if has(item)], key=key, reverse=is_reverse)
    return ordered + [item for item in items if not has(item)]


def chosen_columns(wanted: str, columns: Sequence[Column], items: Sequence[Item]) -> list[Column]:
    """The columns that `--columns` asks for: by title, or any field of the API; raises WrongUse."""
    known = {column.path: column for column in columns} | {column.title: column for column in columns}
    chosen = []
    for name in [word.strip() for word in wanted.split(",") if word.strip()]:
        if name not in known and items and not any([name.partition(".")[0] in item for item in items]):
            titles = [column.title for column in columns]
            raise WrongUse(f"no column {name}: there are {', '.join(dict.fromkeys([*titles, *items[0]]))}")
        chosen.append(known.get(name, Column(name, name)))
    return chosen
