"""The documentation: every route is in it, for everybody to read."""

from tests.management.api import Api

from supersoniq.management.resources.index import MODULES, routes_below


def test_document_has_every_route(api: Api) -> None:
    document = api.as_user(None).get("/api/openapi.json")
    documented = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    routes = {(route.method, "/api" + route.path) for first in MODULES for route in routes_below(first)}
    assert documented == routes


def test_page_shows_it(api: Api) -> None:
    answer = api.as_user(None).ask("GET", "/api/docs")
    assert answer.status == 200
    assert b"/api/openapi.json" in answer.value
