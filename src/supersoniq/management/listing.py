"""Lists: what a query asks of one, and how it is made in slices.

A list is filtered and sorted by what is cheap to know; only what is on the page that was asked for is
rendered in full.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from supersoniq.management.encoding import encode
from supersoniq.management.errors import ApiError, bad_request
from supersoniq.server.slices import Slices, in_order

if TYPE_CHECKING:
    from supersoniq.management.patterns import Pattern

Item = TypeVar("Item")
Columns = frozenset[str] | None  # of the first level; None is all of them
# Renders an item: at least the columns that are given, at most all.
Render = Callable[[Any, Columns], dict[str, object]]

COMPLAINT: Final = "Pagination parameters are invalid"
PAGE_SIZE: Final = 100
PAGE_SIZE_MAX: Final = 500
PIECE_BYTES: Final = 64 * 1024
CHECKED_ITEMS: Final = 50  # between two looks at the clock, where an item costs next to nothing

# The parameters, for the documentation.
COLUMNS: Final = {"columns": "fields that are wanted, with commas: `name,message_stats.publish`"}
SORTING: Final = {
    **COLUMNS,
    "sort": "field to sort by, as in `message_stats.publish_details.rate`",
    "sort_reverse": "`true`: the largest first",
}
LISTING: Final = {
    **SORTING,
    "page": "number of the page, from 1; without it the list comes as a whole",
    "page_size": f"items on a page, at most {PAGE_SIZE_MAX}; {PAGE_SIZE} if not given",
    "name": "what names have to contain, with `page`",
    "use_regex": "`true`: `name` is a regular expression",
    "pagination": "understood for RabbitMQ's sake; it is `page` that counts",
}


@dataclass(frozen=True)
class Page:
    """The page that is asked for, and what names are to match."""

    number: int
    size: int
    name: str
    pattern: "Pattern | None"

    def matches(self, name: str) -> bool:
        """Whether a name is to be listed."""
        return self.pattern.matches(name) if self.pattern is not None else self.name in name


@dataclass(frozen=True)
class Query:
    """What a query asks of a list."""

    columns: tuple[tuple[str, ...], ...] | None  # each as the steps of its path
    sort: tuple[str, ...]
    reverse: bool
    page: Page | None

    @property
    def first_columns(self) -> Columns:
        """The fields of the first level that are wanted."""
        return None if self.columns is None else frozenset(path[0] for path in self.columns)


def query_of(query: Mapping[str, str]) -> Query:
    """Return what a query asks for; raises 400."""
    columns = None
    if "columns" in query:
        columns = tuple(tuple(path.split(".")) for path in query["columns"].split(","))
    sort = tuple(query["sort"].split(".")) if query.get("sort") else ()
    return Query(columns, sort, query.get("sort_reverse") == "true", _page_of(query))


def _page_of(query: Mapping[str, str]) -> Page | None:
    if "page" not in query:
        return None
    try:
        number = int(query["page"])
        size = int(query.get("page_size", PAGE_SIZE))
    except ValueError:
        raise bad_request(COMPLAINT) from None
    if number < 1 or not 1 <= size <= PAGE_SIZE_MAX:
        shown = query.get("page_size", "undefined")
        reason = f"Invalid pagination parameters: page number {number}, page size {shown}"
        raise ApiError(400, "invalid_pagination_parameters", reason)
    name = query.get("name", "")
    return Page(number, size, name, _pattern_of(name) if query.get("use_regex") == "true" else None)


def _pattern_of(name: str) -> "Pattern":
    # Few ask for one, and the library takes its time to load.
    from supersoniq.management.patterns import Pattern  # noqa: PLC0415

    return Pattern(name, COMPLAINT)


class Lister(Generic[Item]):
    """Makes the answer for one list.

    `render` makes an item's fields; `name` is what filters look at. `keys` are fields by which can be sorted
    without rendering anything.
    """

    def __init__(
        self,
        render: Callable[[Item, Columns], dict[str, object]],
        name: Callable[[Item], str],
        keys: Mapping[str, Callable[[Item], object]] | None = None,
    ) -> None:
        self._render = render
        self._name = name
        self._keys = keys or {}

    async def answer(self, items: Sequence[Item], query: Query, slices: Slices) -> Response:
        """Return the page that is asked for, or everything."""
        total = len(items)
        page = query.page
        if page is not None and (page.name or page.pattern is not None):
            items = await self._filtered(items, page, slices)
        if query.sort:
            items = await self._sorted(items, query, slices)
        elif query.reverse:
            items = items[::-1]
        if page is None:
            return Pieces([b"[", *await self._rendered(items, query, slices), b"]"], slices)
        start = (page.number - 1) * page.size
        if start >= len(items) and page.number > 1:
            reason = f"Page out of range, page: {page.number} page size: {page.size}, len: {len(items)}"
            raise ApiError(400, "page_out_of_range", reason)
        shown = items[start : start + page.size]
        head = {"filtered_count": len(items), "item_count": len(shown), "items": []}
        tail = {
            "page": page.number,
            "page_count": -(-len(items) // page.size),
            "page_size": page.size,
            "total_count": total,
        }
        rendered = await self._rendered(shown, query, slices)
        return Pieces([encode(head)[:-2], *rendered, b"],", encode(tail)[1:]], slices)

    async def _filtered(self, items: Sequence[Item], page: Page, slices: Slices) -> list[Item]:
        found: list[Item] = []
        for start in range(0, len(items), CHECKED_ITEMS):
            found += [item for item in items[start : start + CHECKED_ITEMS] if page.matches(self._name(item))]
            await slices.breathe()
        return found

    async def _sorted(self, items: Sequence[Item], query: Query, slices: Slices) -> list[Item]:
        key = self._keys.get(".".join(query.sort))
        wanted = frozenset(query.sort[:1])
        ranked: list[tuple[tuple[int, Any], int]] = []
        for number, item in enumerate(items):
            if key is not None:
                value = key(item)
                if number % CHECKED_ITEMS == 0:
                    await slices.breathe()
            else:
                value = _at(self._render(item, wanted), query.sort)
                await slices.breathe()
            ranked.append((_rank(value), number))
        order = await in_order(ranked, slices)
        # Equal ones stay in their order, also when all are turned around: that is RabbitMQ's, too.
        numbers = [number for _, number in order]
        return [items[number] for number in (reversed(numbers) if query.reverse else numbers)]

    async def _rendered(self, items: Sequence[Item], query: Query, slices: Slices) -> list[bytes]:
        pieces: list[bytes] = []
        columns = query.first_columns
        for item in items:
            fields = self._render(item, columns)
            if query.columns is not None:
                pieces.append(encode(chosen(fields, query.columns)))
            else:
                pieces.append(encode(fields))
            pieces.append(b",")
            await slices.breathe()
        await slices.rest()
        return pieces[:-1]


def chosen(fields: dict[str, object], columns: tuple[tuple[str, ...], ...]) -> object:
    """Return the columns that are asked for; an empty list for none, as RabbitMQ has it."""
    found: dict[str, object] = {}
    for path in columns:
        _choose(fields, path, found)
    return found or []


def _choose(fields: dict[str, object], path: tuple[str, ...], into: dict[str, object]) -> None:
    name, rest = path[0], path[1:]
    if name not in fields:
        return
    value = fields[name]
    if not rest:
        into[name] = value
    elif isinstance(value, dict):
        below = into.setdefault(name, {})
        if isinstance(below, dict) and below is not value:
            _choose(value, rest, below)


def _at(fields: object, path: tuple[str, ...]) -> object:
    """The value at a path, None if there is none."""
    for step in path:
        if not isinstance(fields, dict):
            return None
        fields = fields.get(step)
    return fields


def _rank(value: object) -> tuple[int, Any]:
    """What values of different kinds are sorted by: numbers, then nothing and booleans, then the rest."""
    if isinstance(value, bool):
        return (1, value)
    if isinstance(value, int | float):
        return (0, value)
    if value is None:
        return (1, True)
    if isinstance(value, str):
        return (3, value)
    return (2, encode(value))


class Pieces(Response):
    """An answer of many pieces of JSON, which are handed over in larger ones: copying all at once stalls."""

    def __init__(self, pieces: list[bytes], slices: Slices) -> None:
        super().__init__(None, 200, None, "application/json")
        self._pieces = pieces
        self._slices = slices
        size = sum(len(piece) for piece in pieces)
        self.headers["content-length"] = str(size)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await self._slices.rest()
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        await self._slices.rest()
        waiting: list[bytes] = []
        size = 0
        for piece in self._pieces:
            waiting.append(piece)
            size += len(piece)
            if size >= PIECE_BYTES:
                await self._slices.rest()
                await send({"type": "http.response.body", "body": b"".join(waiting), "more_body": True})
                waiting.clear()
                size = 0
        await self._slices.rest()
        await send({"type": "http.response.body", "body": b"".join(waiting)})
