"""Messages that go elsewhere: dead letters back to where they died, others to a queue or an exchange."""

from typing import Final

from starlette.responses import Response

from supersoniq.amqp.primitives import text
from supersoniq.broker.message import Entry, address_of
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.vhost import VHost
from supersoniq.control.errors import ControlError
from supersoniq.management.bodies import Body
from supersoniq.management.call import DEFAULT_EXCHANGE, Call, answer, refusals
from supersoniq.management.errors import bad_request
from supersoniq.management.filters import FILTERS, Filter
from supersoniq.management.jobs import Job, JobFailed
from supersoniq.management.moving import Aim, Moved, Mover, Target, exchange_of, origin_of
from supersoniq.management.pace import Pace
from supersoniq.management.rights import Rights
from supersoniq.management.routes import Route
from supersoniq.management.views.jobs import job_view
from supersoniq.session.access import QUEUE

LIMIT_MAX: Final = 1 << 53
RATE_MAX: Final = 1_000_000
BODY: Final = {
    "to": {"enum": ["origin", "exchange", "queue"]},
    "queue": {"type": "string", "description": "where to, with `to: queue`"},
    "exchange": {
        "type": "string",
        "description": "where to, with `to: exchange`; without it where a message was published first",
    },
    "routing_key": {"type": "string", "description": "with `exchange`; without it each keeps its own"},
    "limit": {"type": "integer", "description": "messages at most"},
    "filter": {"type": "object", "description": ", ".join(FILTERS)},
    "rate": {"type": "integer", "description": "messages a second at most; makes it a job"},
    "background": {"type": "boolean", "description": "answer at once, with a job"},
}


async def redrive(call: Call) -> Response:
    """Send messages back to where they died, or elsewhere, without what they say of their deaths."""
    return await _move(call, await call.body(), "redrive", "origin")


async def move(call: Call) -> Response:
    """Send messages to another queue or to an exchange."""
    body = await call.body()
    return await _move(call, body, "move", "exchange" if "exchange" in body.values else "queue")


async def _move(call: Call, body: Body, kind: str, to: str) -> Response:
    vhost, queue = call.queue()
    limit = _number(body, "limit", LIMIT_MAX, LIMIT_MAX)
    rate = _number(body, "rate", RATE_MAX, 0)
    is_job = body.boolean("background") or rate > 0
    meant = Filter(body.map("filter"))
    rights = call.rights(vhost)
    with refusals():
        rights.read(QUEUE, queue.name)
    mover = Mover(vhost, queue, _allowed(rights, _aim(call, body, queue, to)))
    now_ms = call.management.facts.now_ms()
    pace = Pace(call.management.server.end_turn, rate)
    if not is_job:
        moved = Moved()
        await mover.move(meant, limit, now_ms, pace, moved)
        call.management.server.end_turn()
        await call.safe(moved.sequence)
        return answer({"moved": moved.moved, "left": moved.left})
    call.management.jobs.check()
    total = min(queue.ready_count, limit) if meant.is_empty else queue.ready_count
    job = Job(kind, vhost.name, text(queue.name), call.caller.user, total, now_ms)

    async def work(job: Job) -> None:
        await mover.move(meant, limit, now_ms, pace, job.progress)
        await _safe(call, vhost, queue, job)

    call.management.jobs.start(job, work)
    return answer(job_view(job), 202, {"location": f"/api/jobs/{job.id}"})


async def _safe(call: Call, vhost: VHost, queue: Queue, job: Job) -> None:
    """Wait until what a job has moved is safe; raises JobFailed."""
    call.management.server.end_turn()
    try:
        await call.safe(job.progress.sequence)
    except ControlError as error:
        raise JobFailed(str(error)) from None
    if queue.deleted:
        raise JobFailed(f"queue '{job.queue}' in vhost '{vhost.name}' was deleted")


def _number(body: Body, name: str, most: int, default: int) -> int:
    if name not in body.values:
        return default
    number = body.integer(name)
    least = 1 if name == "rate" else 0
    if not least <= number <= most:
        raise bad_request(f"{name} = {number}: expected a number from {least} to {most}")
    return number


def _aim(call: Call, body: Body, queue: Queue, default: str) -> Aim:
    """Return what says where a message is to go; raises 400."""
    to = body.text("to", default)
    if to == "queue":
        fixed = Target(b"", _other(call, body, queue))
        return lambda entry: fixed
    if to == "exchange" and "exchange" in body.values:
        return _to_exchange(call, body)
    if to in ("origin", "exchange"):
        return origin_of if to == "origin" else exchange_of
    raise bad_request(f"to = {to}: expected origin, exchange or queue")


def _other(call: Call, body: Body, queue: Queue) -> bytes:
    name = body.name("queue")
    if name not in call.vhost().queues or name == queue.name:
        raise bad_request("queue has to name another queue of the virtual host")
    return name


def _to_exchange(call: Call, body: Body) -> Aim:
    name = body.name("exchange")
    if name == DEFAULT_EXCHANGE.encode():
        name = b""
    if name not in call.vhost().exchanges:
        raise bad_request("exchange has to name an exchange of the virtual host")
    if "routing_key" in body.values:
        fixed = Target(name, body.name("routing_key"))
        return lambda entry: fixed
    return lambda entry: Target(name, entry.message.routing_key)


def _allowed(rights: Rights, aim: Aim) -> Aim:
    """Return an aim that raises for what the caller may not do."""

    def allowed(entry: Entry) -> Target | None:
        target = aim(entry)
        if target is not None:
            rights.publish(address_of(target.exchange, target.routing_key))
        return target

    return allowed


ONE: Final = "/queues/{vhost}/{queue}"
ROUTES: Final = (
    Route("POST", ONE + "/redrive", redrive, "Send dead letters back, or messages elsewhere", body=BODY),
    Route("POST", ONE + "/move", move, "Send messages to another queue or an exchange", body=BODY),
)
