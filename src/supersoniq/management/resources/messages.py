"""Messages: published, and taken from queues."""

from typing import Final

from starlette.responses import Response

from supersoniq.amqp.errors import AccessRefused, AMQPError, NotFound
from supersoniq.amqp.primitives import octets
from supersoniq.broker.vhost import VHost
from supersoniq.management.bodies import Body
from supersoniq.management.call import Call, answer
from supersoniq.management.encoding import encode
from supersoniq.management.errors import ApiError, bad_request, missing, not_authorised
from supersoniq.management.listing import Pieces
from supersoniq.management.publishing import Publisher
from supersoniq.management.routes import Route
from supersoniq.management.taking import ACK_MODES, Taken, Taking
from supersoniq.management.views.messages import AUTO, BASE64, message_view, payload_of, properties_of
from supersoniq.session.access import QUEUE

PUBLISH: Final = {
    "routing_key": {"type": "string"},
    "properties": {"type": "object", "description": 'as in `{"delivery_mode": 2, "headers": {}}`'},
    "payload": {"type": "string"},
    "payload_encoding": {"enum": ["string", "base64"]},
}
GET: Final = {
    "count": {"type": "integer"},
    "ackmode": {"enum": list(ACK_MODES)},
    "encoding": {"enum": [AUTO, BASE64]},
    "truncate": {"type": "integer", "description": "octets of a payload that are shown"},
}


async def publish(call: Call) -> Response:
    """Publish a message; the answer says whether any queue took it."""
    body = await call.body()
    body.require("routing_key", "properties", "payload", "payload_encoding")
    routing_key = body.name("routing_key")
    exchange = call.exchange_name()
    payload = payload_of(body.values["payload"], body.values["payload_encoding"])
    properties = properties_of(body.map("properties"))
    vhost = call.vhost_to_change()
    alarm = call.management.context.alarm
    if alarm.is_on:
        raise ApiError(503, "publishers_blocked", alarm.reason.decode())
    _check_entry(call, vhost)
    publisher = Publisher(call.management, call.caller, vhost)
    try:
        is_routed = await publisher.publish(exchange, routing_key, properties, payload)
    except AMQPError as error:
        raise _refused(error) from None
    finally:
        publisher.close()
    return answer({"routed": is_routed})


def _refused(error: AMQPError) -> ApiError:
    """What answers what AMQP closes a channel for."""
    return bad_request(f"{error.reply_code} {error.reply_text}")


def _check_entry(call: Call, vhost: VHost) -> None:
    """Raise 401 for an administrator without any permission in a virtual host: seeing is all it may."""
    if (
        not call.caller.is_operator
        and call.management.context.permissions.of(call.caller.user, vhost.name) is None
    ):
        raise not_authorised("Access refused.")


async def fetch(call: Call) -> Response:
    """Take messages from the head of a queue, to be put back or not."""
    body = await call.body()
    body.require("ackmode", "count", "encoding")
    count = body.integer("count")
    ack_mode, encoding, truncate = _modes(body)
    vhost = call.vhost_to_change()
    _check_entry(call, vhost)
    name = octets(call.name("queue"))
    try:
        call.rights(vhost).read(QUEUE, name)
        queue = vhost.queue(name, 0)
    except AccessRefused as error:
        raise not_authorised(error.reply_text) from None
    except NotFound as error:
        raise missing(error.reply_text) from None
    except AMQPError as error:
        raise _refused(error) from None
    taken = await Taking(vhost, queue).take(count, ack_mode, call.slices)
    await call.settled(vhost)
    pieces: list[bytes] = [b"["]
    for each in taken:
        pieces += [b"," if len(pieces) > 1 else b"", encode(_view(each, encoding, truncate))]
        await call.slices.breathe()
    return Pieces([*pieces, b"]"], call.slices)


def _view(taken: Taken, encoding: str, truncate: int | None) -> dict[str, object]:
    return {
        **message_view(taken.message, encoding, truncate),
        "redelivered": taken.redelivered,
        "message_count": taken.left_count,
    }


def _modes(body: Body) -> tuple[str, str, int | None]:
    ack_mode, encoding = body.values["ackmode"], body.values["encoding"]
    if ack_mode not in ACK_MODES:
        raise bad_request(["unknown_ackmode", ack_mode])
    if encoding not in (AUTO, BASE64):
        raise bad_request("Unsupported encoding. Please use auto or base64.")
    truncate = body.integer("truncate") if "truncate" in body.values else None
    return str(ack_mode), str(encoding), truncate


ROUTES: Final = (
    Route("POST", "/exchanges/{vhost}/{exchange}/publish", publish, "Publish a message", body=PUBLISH),
    Route(
        "POST",
        "/queues/{vhost}/{queue}/get",
        fetch,
        "Take messages; in contrast to browsing they are marked as redelivered",
        looks_itself=True,
        body=GET,
    ),
)
