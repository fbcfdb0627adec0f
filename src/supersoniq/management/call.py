"""A call: one request to one endpoint, with who asks."""

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request
from starlette.responses import Response

from supersoniq.amqp.errors import AccessRefused, AMQPError, NotFound
from supersoniq.amqp.primitives import octets
from supersoniq.broker.announcing import Acting
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.routing import INTERNAL_PREFIXES
from supersoniq.broker.vhost import VHost
from supersoniq.control.errors import Invalid, Missing
from supersoniq.management.access import Caller, may_enter
from supersoniq.management.bodies import Body, read_object, short
from supersoniq.management.context import ManagementContext
from supersoniq.management.encoding import encode
from supersoniq.management.errors import bad_request, missing, not_authorised, not_found
from supersoniq.management.rights import Rights
from supersoniq.server.slices import Slices

# What the default exchange, which has no name, is called in paths.
DEFAULT_EXCHANGE = "amq.default"


class Call:
    """What an endpoint gets."""

    def __init__(self, management: ManagementContext, caller: Caller, request: Request) -> None:
        self.management = management
        self.caller = caller
        self.request = request
        self.slices = Slices(lambda: management.server.turn_count)

    # What is asked

    def name(self, parameter: str) -> str:
        """Return a parameter of the path."""
        return str(self.request.path_params[parameter])

    def asked(self, parameter: str, default: str = "") -> str:
        """Return a parameter of the query."""
        return self.request.query_params.get(parameter, default)

    def is_asked(self, parameter: str) -> bool:
        """Whether a parameter of the query says true."""
        return self.asked(parameter) == "true"

    def number(self, parameter: str, default: int, most: int) -> int:
        """Return a number of the query, from 0 to `most`; raises 400."""
        asked = self.asked(parameter, str(default))
        try:
            number = int(asked)
        except ValueError:
            number = -1
        if not 0 <= number <= most:
            raise bad_request(f"{parameter} = {asked}: expected a number from 0 to {most}")
        return number

    async def body(self, complaint: str = "not_json") -> Body:
        """Return the body, an object; raises 400 with `complaint` for others."""
        return await read_object(self.request, complaint)

    # What it is about

    def vhost(self) -> VHost:
        """Return the virtual host of the path; raises 404."""
        vhost = self.management.vhosts.get(self.name("vhost"))
        if vhost is None:
            raise not_found()
        return vhost

    def vhost_to_change(self) -> VHost:
        """Return the virtual host of the path; raises 404 in the words for changes."""
        vhost = self.management.vhosts.get(self.name("vhost"))
        if vhost is None:
            raise missing("vhost_not_found")
        return vhost

    def vhosts(self) -> list[VHost]:
        """Return the virtual hosts that the caller may enter, by name."""
        vhosts = self.management.vhosts
        return [vhosts[name] for name in sorted(vhosts) if may_enter(self.management, self.caller, name)]

    def queue(self) -> tuple[VHost, Queue]:
        """Return the queue of the path with its virtual host; raises 404."""
        vhost = self.vhost()
        name = octets(self.name("queue"))
        queue = vhost.queues.get(name)
        if queue is None or name.startswith(INTERNAL_PREFIXES):
            raise not_found()
        return vhost, queue

    def exchange_name(self, parameter: str = "exchange") -> bytes:
        """Return the name of an exchange in the path; raises 400 if it is too long."""
        name = self.name(parameter)
        return b"" if name == DEFAULT_EXCHANGE else short("exchange", name)

    def exchange(self) -> tuple[VHost, Exchange]:
        """Return the exchange of the path with its virtual host; raises 404."""
        vhost = self.vhost()
        exchange = vhost.exchanges.get(self.exchange_name())
        if exchange is None:
            raise not_found()
        return vhost, exchange

    # What is done

    def rights(self, vhost: VHost) -> Rights:
        """Return what the caller may do in a virtual host."""
        return Rights(self.management, self.caller, vhost)

    def acting(self, vhost: VHost) -> Acting:
        """Return what makes the caller the one who acts in a virtual host, in a with statement."""
        return vhost.announcer.acting(self.caller.user, self.caller.address)

    async def settled(self, vhost: VHost) -> None:
        """Let what was done in a virtual host take its way, and wait until what is to last is safe."""
        sequence = int(vhost.take_sequence())
        self.management.server.end_turn()
        await self.safe(sequence)

    async def safe(self, sequence: int) -> None:
        """Wait until a change is safe."""
        await self.management.administration.durable(sequence)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the broker refuses into RabbitMQ's answers."""
    try:
        yield
    except AccessRefused:
        raise not_authorised("Access refused.") from None
    except NotFound as error:
        raise missing(error.text) from None
    except AMQPError as error:
        raise bad_request(error.text) from None
    except Missing as error:
        raise missing(error.reason) from None
    except Invalid as error:
        raise bad_request(error.reason) from None


def answer(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a value as JSON."""
    return Response(encode(value), status, headers, "application/json")


def done(status: int = 204, headers: dict[str, str] | None = None) -> Response:
    """Return an answer without a body."""
    return Response(b"", status, headers)
