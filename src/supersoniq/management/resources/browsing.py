"""What waits in a queue: looked at without consuming it, searched, taken out."""

from typing import Final

from starlette.responses import Response

from supersoniq.broker.message import Entry
from supersoniq.management.call import Call, done, refusals
from supersoniq.management.encoding import encode
from supersoniq.management.errors import bad_request, not_found
from supersoniq.management.filters import FILTERS, Filter
from supersoniq.management.listing import Pieces
from supersoniq.management.routes import Route
from supersoniq.management.views.common import Fields, iso_time
from supersoniq.management.views.messages import AUTO, BASE64, message_view
from supersoniq.session.access import QUEUE

LIMIT: Final = 50
LIMIT_MAX: Final = 1_000
# A page that is out of memory has about as many: it is read once, not once for each hundred of it.
BROWSED: Final = 1_000
BODY_BYTES: Final = 50_000
QUERY: Final = {
    **FILTERS,
    "after": "position after which to begin; 0 is the head of the queue",
    "limit": f"messages in the answer, at most {LIMIT_MAX}; {LIMIT} if not given",
    "encoding": "`auto` or `base64`",
    "truncate": f"octets of a body that are shown; {BODY_BYTES} if not given",
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
    return Pieces([head[:-2], *pieces, b"]}"], call.slices)


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


ONE: Final = "/queues/{vhost}/{queue}"
ROUTES: Final = (
    Route("GET", ONE + "/messages", browse, "Look at messages, or search; they stay", query=QUERY),
    Route("DELETE", ONE + "/messages/{position}", withdraw, "Drop one message"),
)
