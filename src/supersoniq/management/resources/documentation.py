"""The documentation of the API, for everybody."""

import asyncio
from typing import Final

from starlette.responses import Response

from supersoniq.management.call import Call
from supersoniq.management.encoding import encode
from supersoniq.management.openapi import docs_page, document
from supersoniq.management.resources.index import MODULES, routes_below
from supersoniq.management.routes import Level, Route


async def openapi(call: Call) -> Response:
    """The OpenAPI document; making it takes too long for the event loop."""
    routes = [route for first in sorted(MODULES) for route in routes_below(first)]
    made = await asyncio.to_thread(document, routes, call.management.facts.version)
    return Response(encode(made), 200, None, "application/json")


async def docs(call: Call) -> Response:
    """A page that shows it."""
    return docs_page()


ROUTES: Final = (
    Route("GET", "/openapi.json", openapi, "This document", Level.ANYBODY),
    Route("GET", "/docs", docs, "A page that shows this document", Level.ANYBODY),
)
