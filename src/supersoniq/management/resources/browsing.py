"""What waits in a queue: looked at without consuming it, searched, taken out, moved."""

from typing import Final

from starlette.responses import Response

from supersoniq.broker.message import Entry
from supersoniq.broker.queues.queue import Queue
from supersoniq.management.bodies import Body
from supersoniq.management.call import Call, answer, done, refusals
from supersoniq.management.encoding import encode
from supersoniq.management.errors import bad_request, not_found
from supersoniq.management.filters import FILTERS, Filter
from supersoniq.management.listing import Pieces
from supersoniq.management.moving import Aim, Mover, Target, exchange_of, origin_of
from supersoniq.management.routes import Route
from supersoniq.management.views.common import Fields, iso_time
from supersoniq.management.views.messages import AUTO, BASE64, message_view
from supersoniq.session.access import EXCHANGE, QUEUE

LIMIT: Final = 50
LIMIT_MAX: Final = 1_000
BROWSED: Final = 100
BODY_BYTES: Final = 50_000
MOVED_MAX: Final = 1_000_000
QUERY: Final = {
    **FILTERS,
    "after": "position after which to begin; 0 is the head of the queue",
    "limit": f"messages in the answer, at most {LIMIT_MAX}; {LIMIT} if not given",
    "encoding": "`auto` or `base64`",
    "truncate": f"octets of a body that are shown; {BODY_BYTES} if not given",
}
MOVE: Final = {
    "to": {"enum": ["origin", "exchange", "queue"]},
    "queue": {"type": "string", "description": "where to, with `to: queue`"},
    "limit": {"type": "integer", "description": "messages at most"},
    "filter": {"type": "object", "description": ", ".join(FILTERS)},
}


async def browse(call: Call) -> Response:
    """Look at messages; all stays as it is."""
    vhost, queue = call.queue()
    with refusals():
        call.rights(vhost).read(QUEUE, queue.name)
    meant = Filter(dict(call.request.query_params))
    position, limit = call.number("after", 0, 1 << 62), call.number("limit", LIMIT, LIMIT_MAX)
    encoding, truncate = call.asked("encoding", AUTO), call.number("truncate", BODY_BYTES, 1 << 30)
    if encoding not in (AUTO, BASE64):
        raise bad_request("Unsupported encoding. Please use auto or base64.")
    now_ms = call.management.facts.now_ms()
    pieces: list[bytes] = []
    found, is_end = 0, limit == 0
    while found < limit and not is_end and not queue.deleted:
        entries = queue.browse(position, BROWSED)
        is_end = not entries
        for entry in entries:
            position = int(entry.position)
            arrived_ms = int(queue.residence.time_of(entry.position))
            if meant.takes(entry.message, now_ms - arrived_ms):
                pieces += [b"," if pieces else b"", encode(_view(entry, arrived_ms, encoding, truncate))]
                found += 1
                if found == limit:
                    break
            await call.slices.breathe()
    head = encode({"after": position, "is_end": is_end, "messages": []})
    return Pieces([head[:-2], *pieces, b"]}"])


def _view(entry: Entry, arrived_ms: int, encoding: str, truncate: int) -> Fields:
    expires_ms = int(entry.expires_at)
    return {
        "position": int(entry.position),
        "redelivered": entry.redelivered,
        "delivery_count": int(entry.delivery_count),
        "arrived_about": iso_time(arrived_ms) if arrived_ms > 0 else None,
        "expires": iso_time(expires_ms) if expires_ms > 0 else None,
        **message_view(entry.message, encoding, truncate),
    }


async def withdraw(call: Call) -> Response:
    """Drop one message."""
    vhost, queue = call.queue()
    with refusals():
        call.rights(vhost).read(QUEUE, queue.name)
    text = call.name("position")
    if not text.isdecimal() or len(text) > 18:
        raise not_found()
    vhost.store.begin()
    try:
        is_gone = queue.withdraw(int(text))
    finally:
        sequence = int(vhost.store.commit())
    if not is_gone:
        raise not_found()
    await call.safe(sequence)
    return done()


async def redrive(call: Call) -> Response:
    """Send messages back to where they died, or to another queue, without what they say of their deaths."""
    vhost, queue = call.queue()
    body = await call.body()
    target = body.text("to", "origin")
    limit = body.integer("limit") if "limit" in body.values else MOVED_MAX
    if not 0 <= limit <= MOVED_MAX:
        raise bad_request(f"limit = {limit}: expected a number from 0 to {MOVED_MAX}")
    rights = call.rights(vhost)
    with refusals():
        rights.read(QUEUE, queue.name)
    if target == "queue":
        fixed = Target(b"", _other(call, body, queue))
        aim: Aim = lambda entry: fixed  # noqa: E731
    elif target in ("origin", "exchange"):
        aim = origin_of if target == "origin" else exchange_of
    else:
        raise bad_request(f"to = {target}: expected origin, exchange or queue")

    def allowed(entry: Entry) -> Target | None:
        goal = aim(entry)
        if goal is not None:
            rights.write(EXCHANGE, goal.exchange)
        return goal

    now_ms = call.management.facts.now_ms()
    moved = await Mover(vhost, queue, allowed).move(Filter(body.map("filter")), limit, now_ms, call.slices)
    call.management.server.end_turn()
    await call.safe(moved.sequence)
    return answer({"moved": moved.moved, "left": moved.left})


def _other(call: Call, body: Body, queue: Queue) -> bytes:
    name = body.name("queue")
    if name not in call.vhost().queues or name == queue.name:
        raise bad_request("queue has to name another queue of the virtual host")
    return name


ONE: Final = "/queues/{vhost}/{queue}"
ROUTES: Final = (
    Route("GET", ONE + "/messages", browse, "Look at messages, or search; they stay", query=QUERY),
    Route("DELETE", ONE + "/messages/{position}", withdraw, "Drop one message"),
    Route("POST", ONE + "/redrive", redrive, "Send dead letters back, or messages elsewhere", body=MOVE),
)
