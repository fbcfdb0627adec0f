"""Nodes: there is one."""

from typing import Final

from starlette.responses import Response

from supersoniq.management.call import Call, answer
from supersoniq.management.errors import not_found
from supersoniq.management.listing import COLUMNS, SORTING, Lister, chosen, query_of
from supersoniq.management.ranges import NODE_STATS, samples_of
from supersoniq.management.routes import Level, Route
from supersoniq.management.views.common import Fields
from supersoniq.management.views.memory import memory_view, relative
from supersoniq.management.views.overview import node_view


def _name(fields: Fields) -> str:
    return str(fields["name"])


async def all_nodes(call: Call) -> Response:
    """The nodes."""
    query = query_of(call.request.query_params)
    rows = [node_view(call.management, samples_of(call))]
    return await Lister[Fields](lambda row, _: row, _name).answer(rows, query, call.slices)


def _check_node(call: Call) -> None:
    if call.name("node") != call.management.facts.name:
        raise not_found()


async def one_node(call: Call) -> Response:
    """One node."""
    _check_node(call)
    fields = node_view(call.management, samples_of(call))
    if call.is_asked("memory"):
        fields["memory"] = memory_view(call.management)
    columns = query_of(call.request.query_params).columns
    return answer(fields if columns is None else chosen(fields, columns))


async def memory(call: Call) -> Response:
    """What memory is used for."""
    _check_node(call)
    return answer({"memory": memory_view(call.management)})


async def relative_memory(call: Call) -> Response:
    """What memory is used for, in percent."""
    _check_node(call)
    return answer({"memory": relative(memory_view(call.management))})


QUERY: Final = {**SORTING, **NODE_STATS}
ROUTES: Final = (
    Route("GET", "/nodes", all_nodes, "The nodes", Level.MONITORING, query=QUERY),
    Route(
        "GET",
        "/nodes/{node}",
        one_node,
        "One node",
        Level.MONITORING,
        query={**COLUMNS, **NODE_STATS, "memory": "`true`: with what memory is used for"},
    ),
    Route("GET", "/nodes/{node}/memory", memory, "What memory is used for", Level.MONITORING),
    Route("GET", "/nodes/{node}/memory/relative", relative_memory, "The same in percent", Level.MONITORING),
)
