"""`supersoniq messages`: publish, get, look at, move and delete messages."""

from collections.abc import Sequence
from typing import Annotated, Any

from supersoniq.cli.nouns.shared import QueueName, Vhost, pairs, read_file
from supersoniq.cli.remote.call import Call, Failed, WrongUse
from supersoniq.cli.remote.cells import Item
from supersoniq.cli.remote.payloads import encoded, message_columns, with_text
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


def _show(call: Call, messages: list[Any]) -> None:
    if call.as_json:
        call.json(messages)
    elif messages:
        call.show([with_text(message) for message in messages], message_columns(messages))
    else:
        call.note("no message")


VERBS: dict[str, Command] = {"publish": publish, "get": get}
