"""The OpenAPI document: FastAPI makes it from the same routes that answer requests."""

import re
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse

from supersoniq.management.routes import Level, Route

DOCUMENT_PATH: Final = "/api/openapi.json"
DOCS_PATH: Final = "/api/docs"
ABOUT: Final = (
    "RabbitMQ's management API and what only SupersoniQ has. Names in paths are percent-encoded: the virtual "
    "host `/` is `%2F`, the default exchange is `amq.default`."
)
ERROR: Final = {
    "type": "object",
    "properties": {"error": {"type": "string"}, "reason": {}},
}
STATUSES: Final = {
    "200": "What was asked for",
    "201": "Made",
    "204": "Done",
    "400": "The request makes no sense, or the broker refuses it",
    "401": "No login, or the user may not do it",
    "404": "There is no such thing",
    "405": "The path has other methods",
    "408": "The body did not come in time",
    "413": "The body is too large",
    "503": "A check fails, publishers are blocked, or the disk does not take it",
}


def document(routes: list[Route], version: str) -> dict[str, Any]:
    """Return the document."""
    app = FastAPI(title="SupersoniQ management API", version=version, description=ABOUT)
    for number, route in enumerate(routes):
        app.add_api_route(
            "/api" + route.path,
            _nothing,
            methods=[route.method],
            summary=route.summary,
            operation_id=f"{route.endpoint.__name__}_{number}",
            tags=[route.path.split("/")[1]],
            response_model=None,
            responses={int(status): {"description": text} for status, text in STATUSES.items()},
            openapi_extra=_extra(route),
        )
    found = app.openapi()
    found.setdefault("components", {})["securitySchemes"] = {"basic": {"type": "http", "scheme": "basic"}}
    return found


def _nothing() -> None:
    """Answer nothing: only the document is made of it."""


def _extra(route: Route) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    parameters += [
        {"name": name, "in": "query", "description": text, "schema": {"type": "string"}}
        for name, text in route.query.items()
    ]
    extra: dict[str, Any] = {"parameters": parameters}
    if route.level != Level.ANYBODY:
        extra["security"] = [{"basic": []}]
        extra["description"] = f"For users with one of the tags {', '.join(sorted(route.level.value[0]))}."
    if route.body is not None:
        schema = {"type": "object", "properties": dict(route.body)}
        extra["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return extra


def docs_page() -> HTMLResponse:
    """Return a page that shows the document; its script comes from the network, as FastAPI has it."""
    return get_swagger_ui_html(openapi_url=DOCUMENT_PATH, title="SupersoniQ management API")
