"""`supersoniq messages`: publish, get, look at, move and delete messages."""

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from supersoniq.cli.nouns.shared import QueueName, Vhost, pairs, read_file
from supersoniq.cli.remote.api import Missing
from supersoniq.cli.remote.call import Call, Failed, WrongUse
from supersoniq.cli.remote.cells import Item, counted
from supersoniq.cli.remote.job import Job
from supersoniq.cli.remote.payloads import encoded, message_columns, with_text
from supersoniq.cli.remote.progress import with_progress
from supersoniq.cli.remote.words import Argument, Command, Option

ExchangeToPublish = Annotated[
    str,
    Argument(
        "EXCHANGE", "Where to: an exchange; '' is the default one, which knows queues by name.", "exchanges"
    ),
]
Payload = Annotated[str | None, Argument("PAYLOAD", "The body; standard input when it is not given.")]
Count = Annotated[int, Option(("--count", "-n"), "How many at most.", "COUNT")]


def publish(
    call: Call,
    exchange: ExchangeToPublish,
    routing_key: Annotated[str, Argument("KEY", "The routing key: with the default exchange, a queue.")],
    payload: Payload = None,
    file: Annotated[str | None, Option(("--file", "-f"), "A file with the body.", "FILE")] = None,
    properties: Annotated[
        Sequence[str],
        Option(("--property", "-P"), "As in content_type=text/plain; may be given several times.", "K=V"),
    ] = (),
    headers: Annotated[
        Sequence[str], Option(("--header", "-H"), "A header; may be given several times.", "K=V")
    ] = (),
    transient: Annotated[bool, Option(("--transient",), "Not kept over a restart.")] = False,
    count: Annotated[int, Option(("--count", "-n"), "Publish it that often.", "COUNT")] = 1,
    vhost: Vhost = "/",
) -> None:
    """Publish a message; exit code 1 if no queue takes it. It is persistent if not said otherwise."""
    if payload is not None and file is not None:
        raise WrongUse("give either a payload or --file")
    body = payload.encode() if payload is not None else read_file(file or "-")
    own: Item = {"delivery_mode": 1 if transient else 2} | pairs(properties)
    if headers:
        own["headers"] = pairs(headers)
    text, encoding = encoded(body)
    message = {"properties": own, "routing_key": routing_key, "payload": text, "payload_encoding": encoding}
    parts = ("exchanges", vhost, exchange or "amq.default", "publish")
    routed = 0
    for _ in range(count):
        routed += bool(call.api.post(*parts, body=message)["routed"])
    if routed < count:
        raise Failed(
            f"no queue took {'the message' if count == 1 else f'{count - routed} of {count} messages'}"
        )
    call.done("published" if count == 1 else f"published {count:,} messages", routed=routed)


def get(
    call: Call,
    queue: QueueName,
    count: Count = 1,
    requeue: Annotated[
        bool, Option(("--requeue",), "Put them back: they are marked as redelivered. `peek` does not.")
    ] = False,
    reject: Annotated[
        bool, Option(("--reject",), "Reject them: they go to the dead letter exchange, if there is one.")
    ] = False,
    vhost: Vhost = "/",
) -> None:
    """Take messages from the head of a queue, and print them."""
    if requeue and reject:
        raise WrongUse("give either --requeue or --reject")
    mode = "ack_requeue_true" if requeue else "reject_requeue_false" if reject else "ack_requeue_false"
    call.known("queue", queue, ("queues", vhost, queue))
    body = {"count": count, "ackmode": mode, "encoding": "auto"}
    _show(call, call.api.post("queues", vhost, queue, "get", body=body))


class Filters(NamedTuple):
    """Which messages are meant; all conditions have to hold."""

    key: Annotated[str | None, Option(("--key", "-k"), "The routing key contains this.", "TEXT")] = None
    exchange: Annotated[
        str | None,
        Option(("--exchange", "-e"), "It was published to this exchange.", "EXCHANGE", (), "exchanges"),
    ] = None
    text: Annotated[str | None, Option(("--text", "-t"), "The body contains this.", "TEXT")] = None
    header: Annotated[
        str | None, Option(("--header", "-H"), "It has this header, as in x-retries or x-retries:3.", "K:V")
    ] = None
    older: Annotated[float | None, Option(("--older",), "It has waited that long, about.", "SECONDS")] = None

    @property
    def query(self) -> Item:
        """What the API calls them."""
        wanted = {
            "routing_key": self.key,
            "exchange": self.exchange,
            "text": self.text,
            "header": self.header,
            "older_than_ms": None if self.older is None else int(self.older * 1000),
        }
        return {name: value for name, value in wanted.items() if value is not None}


Limit = Annotated[int, Option(("--limit", "-n"), "How many at most, up to 1000.", "COUNT")]
After = Annotated[int, Option(("--after",), "Begin behind this position.", "POSITION")]
AtMost = Annotated[int | None, Option(("--limit", "-n"), "How many at most; all.", "COUNT")]
Rate = Annotated[int | None, Option(("--rate",), "How many a second at most; as fast as it goes.", "COUNT")]


def peek(call: Call, queue: QueueName, limit: Limit = 10, after: After = 0, vhost: Vhost = "/") -> None:
    """Look at what waits in a queue, without taking or marking it."""
    _browse(call, queue, vhost, limit, after, {})


def search(
    call: Call, queue: QueueName, filters: Filters, limit: Limit = 50, after: After = 0, vhost: Vhost = "/"
) -> None:
    """Find messages in a queue, without taking or marking them."""
    _browse(call, queue, vhost, limit, after, filters.query)


def _browse(call: Call, queue: str, vhost: str, limit: int, after: int, query: Item) -> None:
    call.known("queue", queue, ("queues", vhost, queue))
    parts = ("queues", vhost, queue, "messages")
    found = call.api.get(*parts, after=after, limit=limit, **query)
    if call.as_json:
        call.json(found)
        return
    _show(call, found["messages"])
    if not found["is_end"] and found["messages"]:
        call.note(f"there may be more: --after {found['after']}")


def move(
    call: Call,
    queue: QueueName,
    target: Annotated[str, Argument("TARGET", "The queue where they go to.", "queues")],
    filters: Filters,
    limit: AtMost = None,
    rate: Rate = None,
    vhost: Vhost = "/",
) -> None:
    """Move messages from a queue to another one."""
    call.known("queue", target, ("queues", vhost, target))
    body = {"to": "queue", "queue": target, "limit": limit, "rate": rate}
    _redrive(call, queue, vhost, body, filters)


def redrive(
    call: Call,
    queue: QueueName,
    filters: Filters,
    to: Annotated[
        str,
        Option(
            ("--to",), "The queue where they died first, or its exchange.", "PLACE", ("origin", "exchange")
        ),
    ] = "origin",
    limit: AtMost = None,
    rate: Rate = None,
    vhost: Vhost = "/",
) -> None:
    """Send dead letters back to where they died, without what they say of their deaths."""
    _redrive(call, queue, vhost, {"to": to, "limit": limit, "rate": rate}, filters)


def _redrive(call: Call, queue: str, vhost: str, body: Item, filters: Filters) -> None:
    call.known("queue", queue, ("queues", vhost, queue))
    asked = {name: value for name, value in body.items() if value is not None}
    asked |= {"filter": filters.query, "background": True}
    job = Job(call.api, call.api.post("queues", vhost, queue, "redrive", body=asked))
    try:
        end = with_progress(call, f"moving messages of {queue}", job.total, job.wait, job.done)
    except KeyboardInterrupt:
        job.cancel()
        raise
    moved, left = end["moved"], end["skipped"]
    if end["state"] != "done":
        how = f"failed: {end['error']}" if end["state"] == "failed" else "it was cancelled"
        raise Failed(f"moved {counted(moved, 'message')}, then {how}")
    call.done(f"moved {counted(moved, 'message')}", moved=moved, left=left)
    if left:
        call.note(f"{counted(left, 'message')} stayed: there is no place to send them to")


def delete(
    call: Call,
    queue: QueueName,
    positions: Annotated[Sequence[int], Argument("POSITION…", "Which ones, as peek and search show them.")],
    vhost: Vhost = "/",
) -> None:
    """Delete single messages of a queue."""
    call.known("queue", queue, ("queues", vhost, queue))
    gone = []
    for position in positions:
        try:
            call.api.delete("queues", vhost, queue, "messages", str(position))
        except Missing:
            gone.append(position)
    call.done(f"deleted {counted(len(positions) - len(gone), 'message')}", missing=gone)
    if gone:
        raise Failed(f"no message waits at position {', '.join([str(position) for position in gone])}")


def _show(call: Call, messages: list[Any]) -> None:
    if call.as_json:
        call.json(messages)
    elif messages:
        call.show([with_text(message) for message in messages], message_columns(messages))
    else:
        call.note("no message")


VERBS: dict[str, Command] = {
    "publish": publish,
    "get": get,
    "peek": peek,
    "search": search,
    "move": move,
    "redrive": redrive,
    "delete": delete,
}
