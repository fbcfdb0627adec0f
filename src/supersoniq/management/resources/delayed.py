"""Delayed messages of an exchange: looked at while they wait, and cancelled."""

import re
from typing import Final

from starlette.responses import Response

from supersoniq.amqp.errors import AccessRefused
from supersoniq.amqp.primitives import octets
from supersoniq.broker.delayed import LISTED_MAX, MISSING, SLICES, DelayedId, DelayedMessage
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.routing import DELAYED_PREFIX
from supersoniq.broker.vhost import VHost
from supersoniq.management.call import Call, done, refusals
from supersoniq.management.encoding import encode
from supersoniq.management.errors import bad_request, not_found
from supersoniq.management.listing import Pieces
from supersoniq.management.rights import Rights
from supersoniq.management.routes import Route
from supersoniq.management.views.common import Fields, iso_time
from supersoniq.management.views.messages import AUTO, BASE64, message_view
from supersoniq.session.access import EXCHANGE

LIMIT: Final = 50
LIMIT_MAX: Final = 1_000
BODY_BYTES: Final = 50_000
# Level and number of the bucket, and the position in it. The store counts with 64 bits.
ID: Final = re.compile(r"([0-9])\.([0-9]{1,18})\.([0-9]{1,18})", re.ASCII)
QUERY: Final = {
    "after": "`after` of the page before",
    "limit": f"messages in the answer, at most {LIMIT_MAX}; {LIMIT} if not given",
    "encoding": "`auto` or `base64`",
    "truncate": f"octets of a body that are shown; {BODY_BYTES} if not given",
}


async def waiting(call: Call) -> Response:
    """Messages that wait in an exchange, those that are due first before the others."""
    vhost, exchange = _delaying(call)
    rights = call.rights(vhost)
    with refusals():
        rights.read(EXCHANGE, exchange.name)
    limit = call.number("limit", LIMIT, LIMIT_MAX)
    encoding, truncate = call.asked("encoding", AUTO), call.number("truncate", BODY_BYTES, 1 << 30)
    if encoding not in (AUTO, BASE64):
        raise bad_request("Unsupported encoding. Please use auto or base64.")
    after = None
    if call.asked("after"):
        after = _id_of(exchange, call.asked("after"))
        if after is None:
            raise bad_request(f"after = {call.asked('after')}: expected what the page before says")
    pieces: list[bytes] = []
    found, is_end = 0, limit == 0
    while found < limit and not is_end:
        # As many as a page on the disk has, about: it is read anew for each call.
        listed = vhost.delayed.listed(exchange.name, after, LISTED_MAX)
        is_end = not listed
        for each in listed:
            after = each.id
            if _may_see(rights, exchange, each):
                pieces += [b"," if pieces else b"", encode(_view(exchange, each, encoding, truncate))]
                found += 1
                if found == limit:
                    break
            await call.slices.breathe()
    head: Fields = {
        "count": vhost.delayed.count(exchange.name),
        "after": None if after is None else _shown(exchange, after),
        "is_end": is_end,
        "messages": [],
    }
    return Pieces([encode(head)[:-2], *pieces, b"]}"], call.slices)


async def cancel(call: Call) -> Response:
    """Drop a message that waits: whoever may delete the exchange may do that, too."""
    vhost, exchange = _delaying(call)
    rights = call.rights(vhost)
    with refusals():
        rights.configure(EXCHANGE, exchange.name)
    name = _id_of(exchange, call.name("id"))
    if name is None:
        raise not_found()
    sequence = int(vhost.delayed.cancel(name))
    if sequence == MISSING:
        raise not_found()
    call.management.server.end_turn()
    await call.safe(sequence)
    return done()


def _delaying(call: Call) -> tuple[VHost, Exchange]:
    vhost, exchange = call.exchange()
    if not exchange.delays:
        raise bad_request("the exchange does not delay messages")
    return vhost, exchange


def _may_see(rights: Rights, exchange: Exchange, waiting_one: DelayedMessage) -> bool:
    """Whether the caller could bind a queue that gets this message."""
    try:
        rights.read_topic(exchange, waiting_one.message.routing_key)
    except AccessRefused:
        return False
    return True


def _view(exchange: Exchange, waiting_one: DelayedMessage, encoding: str, truncate: int) -> Fields:
    return {
        "id": _shown(exchange, waiting_one.id),
        "due": iso_time(waiting_one.due_ms),
        **message_view(waiting_one.message, encoding, truncate),
    }


def _shown(exchange: Exchange, name: DelayedId) -> str:
    """Return an id as paths have it: without what all of an exchange have."""
    return f"{name.bucket[len(_prefix(exchange)) :].decode()}.{name.position}"


def _id_of(exchange: Exchange, shown: str) -> DelayedId | None:
    """Return the id that is shown so, None if there is none like that."""
    match = ID.fullmatch(shown)
    if match is None or int(match[1]) >= len(SLICES):
        return None
    return DelayedId(_prefix(exchange) + octets(f"{match[1]}.{match[2]}"), int(match[3]))


def _prefix(exchange: Exchange) -> bytes:
    return DELAYED_PREFIX + exchange.name + b"."


WAITING: Final = "/exchanges/{vhost}/{exchange}/delayed"
ROUTES: Final = (
    Route("GET", WAITING, waiting, "Messages that wait for their time", query=QUERY),
    Route("DELETE", WAITING + "/{id}", cancel, "Cancel a delayed message"),
)
