"""The node at a glance."""

from typing import Final

from starlette.responses import Response

from supersoniq.management.call import Call, answer
from supersoniq.management.listing import COLUMNS, chosen, query_of
from supersoniq.management.ranges import DATA_RATES, LENGTHS, MSG_RATES, samples_of
from supersoniq.management.routes import Level, Route
from supersoniq.management.views.overview import narrow_overview_view, overview_view


async def overview(call: Call) -> Response:
    """Everything in one object; less for who does not watch over the node."""
    ranges = samples_of(call)
    if call.caller.may(Level.MONITORING):
        fields = overview_view(call.management, ranges)
    else:
        fields = narrow_overview_view(call.management, ranges, call.vhosts(), call.caller.user)
    columns = query_of(call.request.query_params).columns
    return answer(fields if columns is None else chosen(fields, columns))


async def version(call: Call) -> Response:
    """The version, for everybody."""
    facts = call.management.facts
    return answer({"version": facts.version, "rabbitmq_version": facts.rabbitmq_version})


QUERY: Final = {**COLUMNS, **LENGTHS, **MSG_RATES, **DATA_RATES}
ROUTES: Final = (
    Route("GET", "/overview", overview, "The node at a glance: totals, rates, listeners", query=QUERY),
    Route("GET", "/version", version, "The version", Level.ANYBODY),
)
