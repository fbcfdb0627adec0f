"""Queues changed in place: they go by other arguments, and their messages stay."""

from typing import Final

from starlette.responses import Response

from supersoniq.amqp.tables import Table
from supersoniq.broker.changing import change_queue
from supersoniq.broker.deduplication import check_deduplication
from supersoniq.broker.equivalence import locked
from supersoniq.broker.queues.queue import NOBODY
from supersoniq.management.bodies import as_table, short
from supersoniq.management.call import Call, answer, refusals
from supersoniq.management.ranges import samples_of
from supersoniq.management.routes import Route
from supersoniq.management.views.queues import QueueViews

CHANGED: Final = "supersoniq.queue.changed"  # RabbitMQ has no event of that


async def change(call: Call) -> Response:
    """Change arguments of a queue; a null takes one away. Returns the queue as it is then."""
    vhost, queue = call.queue()
    body = await call.body()
    body.require("arguments")
    changes = body.map("arguments")
    named = {short("key", name) for name in changes}
    given = as_table({name: value for name, value in changes.items() if value is not None})
    with refusals():
        call.rights(vhost).change_queue(queue.name, given)
        if queue.owner != NOBODY:
            raise locked(vhost.name, queue.name)
        kept = {name: field for name, field in queue.options.arguments.items() if name not in named}
        arguments: Table = {**kept, **given}
        check_deduplication(queue.name, arguments)
        sequence = int(change_queue(vhost, queue, arguments))
    fields: dict[str, object] = {"name": queue.name, "vhost": vhost.name, "arguments": arguments}
    call.management.administration.tell(call.caller.actor, CHANGED, fields)
    call.management.server.end_turn()
    await call.safe(sequence)
    return answer(QueueViews(call.management, samples_of(call), False, False).detailed(vhost, queue))


ROUTES: Final = (
    Route(
        "PATCH",
        "/queues/{vhost}/{queue}",
        change,
        "Change arguments in place, messages stay",
        body={"arguments": {"type": "object", "description": "null takes an argument away"}},
    ),
)
