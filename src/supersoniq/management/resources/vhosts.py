"""Virtual hosts: listed, made, changed, deleted."""

from typing import Final

from starlette.responses import Response

from supersoniq.broker.arguments import OF_TYPE
from supersoniq.management.access import may_enter
from supersoniq.management.bodies import Body
from supersoniq.management.call import Call, answer, done, refusals
from supersoniq.management.errors import bad_request
from supersoniq.management.listing import COLUMNS, LISTING, Lister, chosen, query_of
from supersoniq.management.ranges import DATA_RATES, LENGTHS, MSG_RATES, samples_of
from supersoniq.management.routes import Level, Route
from supersoniq.management.views.vhosts import VHostViews, vhost_name

RANGES: Final = {**LENGTHS, **MSG_RATES, **DATA_RATES}
METADATA: Final = {
    "description": {"type": "string"},
    "tags": {"type": "string", "description": "with commas, or an array"},
    "default_queue_type": {"enum": ["classic", "quorum"]},
    "tracing": {"type": "boolean", "default": False},
}
UNDEFINED: Final = "undefined"


async def all_vhosts(call: Call) -> Response:
    """Virtual hosts that the caller may enter; all for who watches over the node."""
    vhosts = call.management.vhosts
    sees_all = call.caller.may(Level.MONITORING)
    items = [
        vhosts[name] for name in sorted(vhosts) if sees_all or may_enter(call.management, call.caller, name)
    ]
    views = VHostViews(call.management, samples_of(call))
    query = query_of(call.request.query_params)
    return await Lister(views.render, vhost_name).answer(items, query, call.slices)


async def one_vhost(call: Call) -> Response:
    """One virtual host."""
    fields = VHostViews(call.management, samples_of(call)).render(call.vhost(), None)
    columns = query_of(call.request.query_params).columns
    return answer(fields if columns is None else chosen(fields, columns))


async def put_vhost(call: Call) -> Response:
    """Make a virtual host, or set what is said of it."""
    name = call.name("vhost")
    body = await call.body()
    queue_type = body.text("default_queue_type")
    if queue_type == UNDEFINED:
        queue_type = ""
    if queue_type and queue_type.encode() not in OF_TYPE:
        raise bad_request(f"unsupported queue type '{queue_type}'")
    tracing = body.boolean("tracing")
    is_new = name not in call.management.vhosts
    administration, actor = call.management.administration, call.caller.actor
    with refusals():
        sequence = administration.put_vhost(
            name, body.text("description"), tags_of(body), queue_type, tracing, actor
        )
        if is_new and not call.caller.is_operator:
            # Who makes one may use it, in RabbitMQ as well.
            sequence = administration.put_permission(call.caller.user, name, ".*", ".*", ".*", actor)
    await call.safe(sequence)
    return done(201 if is_new else 204)


def tags_of(body: Body) -> list[str]:
    """Return tags from a text with commas, or a list of texts; raises 400."""
    tags = body.values.get("tags", "")
    if isinstance(tags, str):
        tags = tags.split(",")
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise bad_request(["not_tags", tags])
    return [tag.strip() for tag in tags if tag.strip()]


async def delete_vhost(call: Call) -> Response:
    """Delete a virtual host with all that is in it."""
    name = call.vhost().name
    with refusals():
        sequence = call.management.administration.delete_vhost(name, call.caller.actor)
    await call.safe(sequence)
    return done()


async def start_vhost(call: Call) -> Response:
    """Nothing: a virtual host that is there is running."""
    call.vhost()
    node = call.name("node")
    if node != call.management.facts.name:
        raise bad_request(f"Request to node {node} failed with nodedown")
    return done()


ROUTES: Final = (
    Route("GET", "/vhosts", all_vhosts, "Virtual hosts", query={**LISTING, **RANGES}),
    Route(
        "GET",
        "/vhosts/{vhost}",
        one_vhost,
        "One virtual host",
        Level.ADMINISTRATOR,
        query={**COLUMNS, **RANGES},
    ),
    Route(
        "PUT",
        "/vhosts/{vhost}",
        put_vhost,
        "Make a virtual host, or change what is said of it",
        Level.ADMINISTRATOR,
        body=METADATA,
    ),
    Route("DELETE", "/vhosts/{vhost}", delete_vhost, "Delete a virtual host", Level.ADMINISTRATOR),
    Route(
        "POST",
        "/vhosts/{vhost}/start/{node}",
        start_vhost,
        "Nothing: virtual hosts run",
        Level.ADMINISTRATOR,
    ),
)
