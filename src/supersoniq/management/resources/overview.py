"""The node at a glance."""

from typing import Final

from starlette.responses import Response

from supersoniq.management.call import Call, answer
from supersoniq.management.routes import Route
from supersoniq.management.views.overview import overview_view


async def overview(call: Call) -> Response:
    """Everything in one object."""
    return answer(overview_view(call.management))


ROUTES: Final = (Route("GET", "/overview", overview, "The node at a glance: totals, rates, listeners"),)
