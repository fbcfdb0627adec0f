"""Queues: listed, declared, deleted, purged."""

from typing import Final

from starlette.responses import Response

from supersoniq.amqp.primitives import octets
from supersoniq.management.call import Call, answer
from supersoniq.management.errors import not_found
from supersoniq.management.routes import Route
from supersoniq.management.views.queues import queue_view


async def all_queues(call: Call) -> Response:
    """Queues of all virtual hosts."""
    vhosts = call.management.vhosts.values()
    return answer([queue_view(vhost, queue) for vhost in vhosts for queue in vhost.queues.values()])


async def vhost_queues(call: Call) -> Response:
    """Queues of one virtual host."""
    vhost = call.vhost()
    return answer([queue_view(vhost, queue) for queue in vhost.queues.values()])


async def one_queue(call: Call) -> Response:
    """One queue."""
    vhost = call.vhost()
    queue = vhost.queues.get(octets(call.name("queue")))
    if queue is None:
        raise not_found()
    return answer(queue_view(vhost, queue))


ROUTES: Final = (
    Route("GET", "/queues", all_queues, "Queues of all virtual hosts"),
    Route("GET", "/queues/{vhost}", vhost_queues, "Queues of a virtual host"),
    Route("GET", "/queues/{vhost}/{queue}", one_queue, "One queue"),
)
