"""Bindings: listed, made, removed."""

from typing import Final
from urllib.parse import quote

from starlette.responses import Response

from supersoniq.amqp.primitives import octets
from supersoniq.broker.exchanges.base import Destination
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.vhost import VHost
from supersoniq.management.bodies import short
from supersoniq.management.call import Call, answer, done, refusals
from supersoniq.management.errors import missing, not_found
from supersoniq.management.listing import LISTING, Lister, query_of
from supersoniq.management.routes import Route
from supersoniq.management.views.bindings import (
    Bound,
    binding_name,
    binding_view,
    bound,
    bound_by_default,
    is_key_of,
    properties_key,
)
from supersoniq.session.access import EXCHANGE, QUEUE

KINDS: Final = {"q": True, "e": False}
BINDING: Final = {
    "routing_key": {"type": "string", "default": ""},
    "arguments": {"type": "object"},
}


async def _all_of(call: Call, vhost: VHost) -> list[Bound]:
    """The bindings of a virtual host, in RabbitMQ's order."""
    found: list[Bound] = []
    for _, queue in await call.management.catalog.queues(vhost, call.slices):
        found.append(bound_by_default(vhost.name, queue))
        await call.slices.breathe()
    for name in sorted(vhost.exchanges):
        exchange = vhost.exchanges.get(name)
        if exchange is not None:
            bindings = [bound(vhost.name, binding) for binding in list(exchange.bindings.values())]
            found += sorted(bindings, key=_place)
            await call.slices.breathe()
    return found


def _place(each: Bound) -> tuple[bytes, bytes, bytes]:
    return (each.source, each.destination, each.routing_key)


def _into(vhost: VHost, destination: Destination) -> list[Bound]:
    bindings = [bound(vhost.name, binding) for binding in list(destination.inbound)]
    return sorted(bindings, key=_place)


async def _listed(call: Call, items: list[Bound]) -> Response:
    query = query_of(call.request.query_params)
    render = Lister[Bound](lambda each, _: binding_view(each), binding_name)
    return await render.answer(items, query, call.slices)


async def all_bindings(call: Call) -> Response:
    """Bindings of all virtual hosts that the caller may enter."""
    return await _listed(call, [each for vhost in call.vhosts() for each in await _all_of(call, vhost)])


async def vhost_bindings(call: Call) -> Response:
    """Bindings of one virtual host."""
    return await _listed(call, await _all_of(call, call.vhost()))


async def bindings_from(call: Call) -> Response:
    """What is bound to an exchange; as in RabbitMQ one that is missing has nothing."""
    vhost = call.vhost()
    name = call.exchange_name()
    if not name:
        queues = await call.management.catalog.queues(vhost, call.slices)
        return await _listed(call, [bound_by_default(vhost.name, queue) for _, queue in queues])
    exchange = vhost.exchanges.get(name)
    bindings = [] if exchange is None else [bound(vhost.name, each) for each in exchange.bindings.values()]
    return await _listed(call, sorted(bindings, key=_place))


async def bindings_into(call: Call) -> Response:
    """What an exchange is bound to."""
    vhost = call.vhost()
    exchange = vhost.exchanges.get(call.exchange_name())
    return await _listed(call, [] if exchange is None else _into(vhost, exchange))


async def queue_bindings(call: Call) -> Response:
    """What a queue is bound to."""
    vhost, queue = call.queue()
    return await _listed(call, [bound_by_default(vhost.name, queue), *_into(vhost, queue)])


# Between two ends


def _between(call: Call) -> list[Bound]:
    """The bindings from an exchange to a queue or an exchange."""
    vhost = call.vhost()
    to_queue = _to_queue(call)
    source = call.exchange_name("source")
    name = octets(call.name("destination"))
    if not source:
        queue = vhost.queues.get(name) if to_queue else None
        return [] if queue is None else [bound_by_default(vhost.name, queue)]
    exchange = vhost.exchanges.get(source)
    if exchange is None:
        return []
    found = [bound(vhost.name, each) for each in exchange.bindings.values()]
    return sorted(
        [each for each in found if each.destination == name and each.to_queue == to_queue], key=_place
    )


def _to_queue(call: Call) -> bool:
    to_queue = KINDS.get(call.name("kind"))
    if to_queue is None:
        raise not_found()
    return to_queue


async def bindings_between(call: Call) -> Response:
    """The bindings of two ends."""
    return await _listed(call, _between(call))


def _one(call: Call) -> Bound:
    key = call.name("key")
    for each in _between(call):
        if is_key_of(key, each):
            return each
    raise not_found()


async def one_binding(call: Call) -> Response:
    """One binding."""
    return answer(binding_view(_one(call)))


async def bind(call: Call) -> Response:
    """Bind a queue or an exchange to an exchange, as AMQP does."""
    vhost = call.vhost_to_change()
    to_queue = _to_queue(call)
    body = await call.body()
    source = call.exchange_name("source")
    name = short("destination", call.name("destination"))
    routing_key = body.name("routing_key")
    arguments = body.table("arguments")
    with refusals():
        call.rights(vhost).bind(source, QUEUE if to_queue else EXCHANGE, name, routing_key)
        destination: Destination
        if to_queue:
            found = vhost.queues.get(name)
            if found is None:
                raise missing(f"no queue '{call.name('destination')}' in vhost '{vhost.name}'")
            destination = found
        else:
            destination = vhost.exchange(name)
        with call.acting(vhost):
            vhost.bind(source, destination, routing_key, arguments)
    await call.settled(vhost)
    key = quote(properties_key(routing_key, arguments), safe="~")
    return done(
        201, {"location": f"{quote(call.name('destination'), safe='', errors='surrogateescape')}/{key}"}
    )


async def unbind(call: Call) -> Response:
    """Remove a binding."""
    vhost = call.vhost()
    each = _one(call)
    with refusals():
        kind = QUEUE if each.to_queue else EXCHANGE
        call.rights(vhost).bind(each.source, kind, each.destination, each.routing_key)
        destination: Destination | None
        if each.to_queue:
            destination = vhost.queues.get(each.destination)
        else:
            destination = vhost.exchanges.get(each.destination)
        owner = destination.owner if isinstance(destination, Queue) else 0
        with call.acting(vhost):
            vhost.unbind(each.source, destination, each.routing_key, each.arguments, owner)
    await call.settled(vhost)
    return done()


BETWEEN: Final = "/bindings/{vhost}/e/{source}/{kind}/{destination}"
ROUTES: Final = (
    Route("GET", "/bindings", all_bindings, "Bindings of all virtual hosts", query=LISTING),
    Route("GET", "/bindings/{vhost}", vhost_bindings, "Bindings of a virtual host", query=LISTING),
    Route(
        "GET",
        BETWEEN,
        bindings_between,
        "Bindings of an exchange and a queue (q) or exchange (e)",
        query=LISTING,
    ),
    Route("POST", BETWEEN, bind, "Bind", body=BINDING),
    Route("GET", BETWEEN + "/{key}", one_binding, "One binding, by the `properties_key` that lists have"),
    Route("DELETE", BETWEEN + "/{key}", unbind, "Remove a binding"),
    Route(
        "GET",
        "/exchanges/{vhost}/{exchange}/bindings/source",
        bindings_from,
        "Bindings that lead from an exchange",
        query=LISTING,
    ),
    Route(
        "GET",
        "/exchanges/{vhost}/{exchange}/bindings/destination",
        bindings_into,
        "Bindings that lead to an exchange",
        query=LISTING,
    ),
    Route(
        "GET",
        "/queues/{vhost}/{queue}/bindings",
        queue_bindings,
        "Bindings that lead to a queue",
        query=LISTING,
    ),
)
