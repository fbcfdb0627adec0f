"""Exchanges: listed, declared, deleted."""

from typing import Final

from starlette.responses import Response

from supersoniq.broker.delays import DELAYED_KIND
from supersoniq.broker.exchanges.kinds import KINDS as TYPES
from supersoniq.broker.vhost import VHost
from supersoniq.management.call import Call, answer, done, refusals
from supersoniq.management.errors import bad_request
from supersoniq.management.listing import COLUMNS, LISTING, Lister, chosen, query_of
from supersoniq.management.ranges import MSG_RATES, samples_of
from supersoniq.management.routes import Route
from supersoniq.management.views.exchanges import KEYS, ExchangeViews, Item, exchange_name
from supersoniq.session.access import EXCHANGE

QUERY: Final = {**LISTING, **MSG_RATES, "disable_stats": "`true`: only what an exchange was declared with"}
DECLARATION: Final = {
    "type": {"type": "string", "default": "direct"},
    "durable": {"type": "boolean", "default": False},
    "auto_delete": {"type": "boolean", "default": False},
    "internal": {"type": "boolean", "default": False},
    "arguments": {"type": "object"},
}


def _items(vhost: VHost) -> list[Item]:
    return [(vhost, vhost.exchanges[name]) for name in sorted(vhost.exchanges)]


def _views(call: Call) -> ExchangeViews:
    return ExchangeViews(call.management, samples_of(call), call.is_asked("disable_stats"))


async def _listed(call: Call, items: list[Item]) -> Response:
    query = query_of(call.request.query_params)
    return await Lister(_views(call).render, exchange_name, KEYS).answer(items, query, call.slices)


async def all_exchanges(call: Call) -> Response:
    """Exchanges of all virtual hosts that the caller may enter."""
    return await _listed(call, [item for vhost in call.vhosts() for item in _items(vhost)])


async def vhost_exchanges(call: Call) -> Response:
    """Exchanges of one virtual host."""
    return await _listed(call, _items(call.vhost()))


async def one_exchange(call: Call) -> Response:
    """One exchange."""
    fields = _views(call).detailed(call.exchange())
    columns = query_of(call.request.query_params).columns
    return answer(fields if columns is None else chosen(fields, columns))


async def declare_exchange(call: Call) -> Response:
    """Declare an exchange as AMQP does."""
    vhost = call.vhost_to_change()
    body = await call.body()
    name = call.exchange_name()
    kind = body.text("type", "direct")
    arguments = body.table("arguments")
    durable, auto_delete = body.boolean("durable"), body.boolean("auto_delete")
    internal = body.boolean("internal")
    is_new = name not in vhost.exchanges
    if kind not in TYPES and kind != DELAYED_KIND:
        raise bad_request(f"invalid exchange type '{kind}'")
    with refusals():
        call.rights(vhost).declare_exchange(name, arguments)
        with call.acting(vhost):
            vhost.declare_exchange(name, kind, durable, auto_delete, internal, arguments)
    await call.settled(vhost)
    return done(201 if is_new else 204)


async def delete_exchange(call: Call) -> Response:
    """Delete an exchange with its bindings."""
    vhost, exchange = call.exchange()
    with refusals():
        call.rights(vhost).configure(EXCHANGE, exchange.name)
        with call.acting(vhost):
            vhost.delete_exchange(exchange.name, call.is_asked("if-unused"))
    await call.settled(vhost)
    return done()


ROUTES: Final = (
    Route("GET", "/exchanges", all_exchanges, "Exchanges of all virtual hosts", query=QUERY),
    Route("GET", "/exchanges/{vhost}", vhost_exchanges, "Exchanges of a virtual host", query=QUERY),
    Route(
        "GET", "/exchanges/{vhost}/{exchange}", one_exchange, "One exchange", query={**COLUMNS, **MSG_RATES}
    ),
    Route("PUT", "/exchanges/{vhost}/{exchange}", declare_exchange, "Declare an exchange", body=DECLARATION),
    Route(
        "DELETE",
        "/exchanges/{vhost}/{exchange}",
        delete_exchange,
        "Delete an exchange",
        query={"if-unused": "`true`: only if nothing is bound to it"},
    ),
)
