"""The ASGI application: finds the resource of a request, and turns what goes wrong into an answer.

The modules of a resource are imported and its routes are made when the first request for it comes.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route as Routed
from starlette.types import Receive, Scope, Send

from supersoniq.amqp.errors import AMQPError
from supersoniq.control.errors import ControlError
from supersoniq.management.access import LOCAL, NOBODY, Caller, authenticate, check, check_vhost, credentials
from supersoniq.management.call import Call, done
from supersoniq.management.context import ManagementContext
from supersoniq.management.errors import ApiError, bad_request, not_found
from supersoniq.management.resources.index import MODULES, routes_below
from supersoniq.management.routes import Level, Route
from supersoniq.management.telling import LoginNews, tell_refusal

logger = logging.getLogger(__name__)

PREFIX: Final = "/api"
SEGMENT: Final = (
    "percent_encoded"  # the kind of parameters in paths; Starlette has one list of them a process
)


class _Segment(Convertor[str]):
    """A segment of the path, percent-encoded as it came: `%2F` is a name like others."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return unquote(value, errors="surrogateescape")

    def to_string(self, value: str) -> str:
        return value


class App:
    """Answers requests for one node."""

    def __init__(self, management: ManagementContext) -> None:
        self._management = management
        self._news = LoginNews()
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
        if len(parts) < 3 or parts[1] != PREFIX[1:] or parts[2] not in MODULES:
            return None
        first = parts[2]
        resource = self._resources.get(first)
        if resource is None:
            resource = self._resources[first] = _Resource(first, self._management, self._news)
        return resource


class _Resource:
    """The routes whose paths begin with the same segment."""

    def __init__(self, first: str, management: ManagementContext, news: LoginNews) -> None:
        self._management = management
        self._news = news
        self._routes = routes_below(first)
        self._app = Starlette(routes=[self._routed(route) for route in self._routes])
        self._app.router.redirect_slashes = False
        for error in (ApiError, AMQPError, ControlError, ClientDisconnect, HTTPException, Exception):
            self._app.add_exception_handler(error, self._on_error)

    def _routed(self, route: Route) -> Routed:
        path = PREFIX + route.path.replace("}", f":{SEGMENT}}}")
        return Routed(path, self._endpoint(route), methods=[route.method])

    def _endpoint(self, route: Route) -> Callable[[Request], Awaitable[Response]]:
        management = self._management
        needs_vhost = "{vhost}" in route.path and not route.looks_itself and route.level == Level.MANAGEMENT

        async def endpoint(request: Request) -> Response:
            await asyncio.sleep(0)  # reading and routing a request has taken long enough
            caller = await _caller(request, management)
            self._news.asked(management, request, caller)
            check(caller, route.level)
            if needs_vhost:
                check_vhost(management, caller, request.path_params["vhost"])
            await asyncio.sleep(0)
            return await route.endpoint(Call(management, caller, request))

        async def open_endpoint(request: Request) -> Response:
            return await route.endpoint(Call(management, NOBODY, request))

        return open_endpoint if route.level == Level.ANYBODY else endpoint

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["method"] == "HEAD":
            scope["method"] = "GET"  # the server leaves out the body
        if scope["method"] == "OPTIONS" and (allowed := self._allowed(scope["path"])):
            await done(200, {"allow": allowed})(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            if scope["method"] != "GET":
                self._management.server.end_turn()  # also of what failed halfway

    def _allowed(self, path: str) -> str:
        """The methods of a path, none if there is no such path."""
        methods = [route.method for route in self._routes if _matches(route, path)]
        if "GET" in methods:
            methods.insert(0, "HEAD")
        return ", ".join([*methods, "OPTIONS"]) if methods else ""

    async def _on_error(self, request: Request, error: Exception) -> Response:
        if isinstance(error, ApiError):
            tell_refusal(self._management, request, error)
            return _error_answer(error)
        if isinstance(error, AMQPError):
            return _error_answer(bad_request(error.text))
        if isinstance(error, ControlError):
            return _error_answer(ApiError(503, "not_stored", error.reason))
        if isinstance(error, ClientDisconnect):
            return done(400)  # nobody reads it
        if isinstance(error, HTTPException):
            if error.status_code == 405:
                return done(405, {"allow": self._allowed(request.scope["path"])})
            return _error_answer(not_found())
        logger.error("%s %s failed, please report it", request.method, request.scope["path"], exc_info=error)
        return _error_answer(ApiError(500, "Internal Server Error", "see the log"))


def _matches(route: Route, path: str) -> bool:
    return re.fullmatch(PREFIX + re.sub(r"{\w+}", _Segment.regex, route.path), path) is not None


async def _caller(request: Request, management: ManagementContext) -> Caller:
    header = request.headers.get("authorization")
    is_local = request.scope["state"]["is_local"]
    if is_local and header is None:
        return LOCAL
    # Who says a name and a password on the local socket wants to know whether they are right.
    user, password = credentials(header)
    client = request.client
    host, port = ("127.0.0.1" if is_local else "", 0) if client is None else (client.host, client.port)
    return await authenticate(management, user, password, host, port)


def _error_answer(error: ApiError) -> Response:
    body = error.body()
    return Response(body, error.status, error.headers, "application/json" if body else None)
