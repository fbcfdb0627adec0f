"""The ASGI application: finds the resource of a request, and turns what goes wrong into an answer.

A resource's module is imported and its routes are made when the first request for it comes.
"""

import importlib
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import unquote

from fastapi import APIRouter, FastAPI, Request
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from supersoniq.amqp.errors import AMQPError
from supersoniq.management.access import LOCAL, Caller, authenticate, check
from supersoniq.management.call import Call, done
from supersoniq.management.context import ManagementContext
from supersoniq.management.errors import ApiError, bad_request, not_found
from supersoniq.management.resources.index import MODULES
from supersoniq.management.routes import Level, Route
from supersoniq.management.telling import tell_refusal

logger = logging.getLogger(__name__)

PREFIX: Final = "/api"
SEGMENT: Final = (
    "percent_encoded"  # the kind of parameters in paths; Starlette has one list of them a process
)


class _Segment(Convertor[str]):
    """A segment of the path, percent-encoded as it came: `%2F` is a name like others."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return unquote(value)

    def to_string(self, value: str) -> str:
        return value


class App:
    """Answers requests for one node."""

    def __init__(self, management: ManagementContext) -> None:
        self._management = management
        self._resources: dict[str, _Resource] = {}
        register_url_convertor(SEGMENT, _Segment())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        path = scope["raw_path"].decode("latin-1").removesuffix("/")
        resource = self._resource(path)
        if resource is None:
            await _error_answer(not_found())(scope, receive, send)
        else:
            await resource.answer({**scope, "path": path, "root_path": ""}, receive, send)

    def _resource(self, path: str) -> "_Resource | None":
        parts = path.split("/", 3)
        if len(parts) < 3 or parts[1] != PREFIX[1:]:
            return None
        name = MODULES.get(parts[2])
        if name is None:
            return None
        resource = self._resources.get(name)
        if resource is None:
            resource = self._resources[name] = _Resource(name, self._management)
        return resource


class _Resource:
    """The routes of one module."""

    def __init__(self, name: str, management: ManagementContext) -> None:
        module = importlib.import_module(f"supersoniq.management.resources.{name}")
        self._routes: tuple[Route, ...] = module.ROUTES
        self._app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
        self._events = management.context.events
        self._app.include_router(_router(name, self._routes, management))
        for error in (ApiError, AMQPError, HTTPException, Exception):
            self._app.add_exception_handler(error, self._on_error)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["method"] == "HEAD":
            scope["method"] = "GET"  # the server leaves out the body
        if scope["method"] == "OPTIONS" and (allowed := self._allowed(scope["path"])):
            await done(200, {"allow": allowed})(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _allowed(self, path: str) -> str:
        """The methods of a path, none if there is no such path."""
        methods = [route.method for route in self._routes if _matches(route, path)]
        if "GET" in methods:
            methods.insert(0, "HEAD")
        return ", ".join([*methods, "OPTIONS"]) if methods else ""

    async def _on_error(self, request: Request, error: Exception) -> Response:
        if isinstance(error, ApiError):
            tell_refusal(self._events, request, error)
            return _error_answer(error)
        if isinstance(error, AMQPError):
            return _error_answer(bad_request(error.text))
        if isinstance(error, HTTPException):
            if error.status_code == 405:
                return done(405, {"allow": self._allowed(request.scope["path"])})
            return _error_answer(not_found())
        logger.error("%s %s failed, please report it", request.method, request.url.path, exc_info=error)
        return _error_answer(ApiError(500, "Internal Server Error", "see the log"))


def _router(name: str, routes: tuple[Route, ...], management: ManagementContext) -> APIRouter:
    router = APIRouter(prefix=PREFIX, tags=[name])
    for route in routes:
        router.add_api_route(
            route.path.replace("}", f":{SEGMENT}}}"),
            _endpoint(route, management),
            methods=[route.method],
            response_model=None,
        )
    return router


def _matches(route: Route, path: str) -> bool:
    return re.fullmatch(PREFIX + re.sub(r"{\w+}", _Segment.regex, route.path), path) is not None


def _endpoint(route: Route, management: ManagementContext) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        caller = await _caller(request, management)
        check(caller, route.level)
        return await route.endpoint(Call(management, caller, request))

    async def open_endpoint(request: Request) -> Response:
        return await route.endpoint(Call(management, NOBODY, request))

    return open_endpoint if route.level == Level.ANYBODY else endpoint


NOBODY = Caller("", (), "")


async def _caller(request: Request, management: ManagementContext) -> Caller:
    if request.scope["state"]["is_local"]:
        return LOCAL
    client = request.scope.get("client")
    host = "" if client is None else str(client[0])
    from_loopback = host.startswith("127.") or host == "::1"
    return await authenticate(management, request.headers.get("authorization"), host, from_loopback)


def _error_answer(error: ApiError) -> Response:
    body = error.body()
    return Response(body, error.status, error.headers, "application/json" if body else None)
