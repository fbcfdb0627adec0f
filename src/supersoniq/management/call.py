"""A call: one request to one endpoint, with who asks."""

from starlette.requests import Request
from starlette.responses import Response

from supersoniq.broker.vhost import VHost
from supersoniq.management.access import Caller
from supersoniq.management.context import ManagementContext
from supersoniq.management.encoding import encode
from supersoniq.management.errors import not_found


class Call:
    """What an endpoint gets."""

    def __init__(self, management: ManagementContext, caller: Caller, request: Request) -> None:
        self.management = management
        self.caller = caller
        self.request = request

    def name(self, parameter: str) -> str:
        """Return a parameter of the path."""
        return str(self.request.path_params[parameter])

    def vhost(self) -> VHost:
        """Return the virtual host of the path; raises 404."""
        vhost = self.management.vhosts.get(self.name("vhost"))
        if vhost is None:
            raise not_found()
        return vhost


def answer(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a value as JSON."""
    return Response(encode(value), status, headers, "application/json")


def done(status: int = 204, headers: dict[str, str] | None = None) -> Response:
    """Return an answer without a body."""
    return Response(b"", status, headers)
