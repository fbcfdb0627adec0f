"""Queues: listed, declared, deleted, purged."""

from typing import Final

from starlette.responses import Response

from supersoniq.broker.queues.queue import NOBODY
from supersoniq.management.bodies import short
from supersoniq.management.call import Call, answer, done, refusals
from supersoniq.management.errors import bad_request
from supersoniq.management.listing import COLUMNS, LISTING, Lister, chosen, query_of
from supersoniq.management.ranges import LENGTHS, MSG_RATES, samples_of
from supersoniq.management.routes import Route
from supersoniq.management.views.queues import KEYS, Item, QueueViews, queue_name
from supersoniq.session.access import QUEUE

QUERY: Final = {
    **LISTING,
    **LENGTHS,
    **MSG_RATES,
    "disable_stats": "`true`: only what a queue was declared with",
    "enable_queue_totals": "`true`, with `disable_stats`: how many messages there are as well",
}
DECLARATION: Final = {
    "durable": {"type": "boolean", "default": False},
    "auto_delete": {"type": "boolean", "default": False},
    "arguments": {"type": "object", "description": 'as in `{"x-max-length": 1000}`'},
}


def _views(call: Call) -> QueueViews:
    return QueueViews(
        call.management,
        samples_of(call),
        call.is_asked("disable_stats"),
        call.is_asked("enable_queue_totals"),
    )


async def _listed(call: Call, items: list[Item]) -> Response:
    query = query_of(call.request.query_params)
    return await Lister(_views(call).render, queue_name, KEYS).answer(items, query, call.slices)


async def all_queues(call: Call) -> Response:
    """Queues of all virtual hosts that the caller may enter."""
    items: list[Item] = []
    for vhost in call.vhosts():
        items += await call.management.catalog.queues(vhost, call.slices)
        await call.slices.breathe()
    return await _listed(call, items)


async def vhost_queues(call: Call) -> Response:
    """Queues of one virtual host."""
    return await _listed(call, await call.management.catalog.queues(call.vhost(), call.slices))


async def one_queue(call: Call) -> Response:
    """One queue, with its consumers."""
    vhost, queue = call.queue()
    fields = _views(call).detailed(vhost, queue)
    columns = query_of(call.request.query_params).columns
    return answer(fields if columns is None else chosen(fields, columns))


async def declare_queue(call: Call) -> Response:
    """Declare a queue as AMQP does."""
    vhost = call.vhost_to_change()
    body = await call.body()
    name = short("queue", call.name("queue"))
    node = body.text("node", call.management.facts.name)
    if node != call.management.facts.name:
        raise bad_request(f"Node {node} could not be contacted")
    arguments = body.table("arguments")
    durable, auto_delete = body.boolean("durable"), body.boolean("auto_delete")
    is_new = name not in vhost.queues
    with refusals():
        call.rights(vhost).declare_queue(name, arguments)
        with call.acting(vhost):
            vhost.declare_queue(name, durable, False, auto_delete, arguments, NOBODY)
    await call.settled(vhost)
    return done(201 if is_new else 204)


async def delete_queue(call: Call) -> Response:
    """Delete a queue with what is in it."""
    vhost, queue = call.queue()
    with refusals():
        call.rights(vhost).configure(QUEUE, queue.name)
        # An exclusive one can be deleted, too: it is the operator who asks.
        with call.acting(vhost):
            vhost.delete_queue(queue, call.is_asked("if-unused"), call.is_asked("if-empty"))
    await call.settled(vhost)
    return done()


async def purge_queue(call: Call) -> Response:
    """Drop all messages that are ready."""
    vhost, queue = call.queue()
    with refusals():
        call.rights(vhost).read(QUEUE, queue.name)
        vhost.purge(queue)
    await call.settled(vhost)
    return done()


async def act_on_queue(call: Call) -> Response:
    """Do what mirrored queues of RabbitMQ can do, of which there are none here."""
    call.queue()
    body = await call.body()
    body.require("action")
    action = body.values["action"]
    if action not in ("sync", "cancel_sync"):
        raise bad_request(["unknown", action])
    return done()


ROUTES: Final = (
    Route("GET", "/queues", all_queues, "Queues of all virtual hosts", query=QUERY),
    Route("GET", "/queues/{vhost}", vhost_queues, "Queues of a virtual host", query=QUERY),
    Route(
        "GET",
        "/queues/{vhost}/{queue}",
        one_queue,
        "One queue with its consumers",
        query={**COLUMNS, **LENGTHS, **MSG_RATES},
    ),
    Route("PUT", "/queues/{vhost}/{queue}", declare_queue, "Declare a queue", body=DECLARATION),
    Route(
        "DELETE",
        "/queues/{vhost}/{queue}",
        delete_queue,
        "Delete a queue",
        query={
            "if-empty": "`true`: only if no message is ready",
            "if-unused": "`true`: only without consumers",
        },
    ),
    Route("DELETE", "/queues/{vhost}/{queue}/contents", purge_queue, "Purge a queue"),
    Route(
        "POST",
        "/queues/{vhost}/{queue}/actions",
        act_on_queue,
        "Nothing: for tools that know mirrored queues",
        body={"action": {"enum": ["sync", "cancel_sync"]}},
    ),
)
