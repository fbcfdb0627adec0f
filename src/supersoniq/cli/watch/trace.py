"""`supersoniq trace`: a live tail of what is published and delivered, from `amq.rabbitmq.trace`.

Messages come over the management API, from a queue of its own that is bounded and expires by itself, so that
the node suffers no slow or dead reader.
"""

import json
import os
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

from supersoniq.cli.nouns.shared import Vhost
from supersoniq.cli.remote.api import ApiError
from supersoniq.cli.remote.call import Call
from supersoniq.cli.remote.cells import Item
from supersoniq.cli.remote.payloads import with_text
from supersoniq.cli.remote.table import printable
from supersoniq.cli.remote.words import Command, Option

if TYPE_CHECKING:
    from collections.abc import Iterator

EXCHANGE = "amq.rabbitmq.trace"
POLL_SECONDS = 0.2
BATCH = 200
MESSAGES_MAX = 10_000
EXPIRES_MS = 30_000


def trace(
    call: Call,
    exchange: Annotated[
        str | None, Option(("--exchange", "-e"), "Only what is published to it.", "EXCHANGE", (), "exchanges")
    ] = None,
    queue: Annotated[
        str | None, Option(("--queue", "-q"), "Only what is delivered from it.", "QUEUE", (), "queues")
    ] = None,
    count: Annotated[int | None, Option(("--count", "-n"), "End after that many.", "COUNT")] = None,
    vhost: Vhost = "/",
) -> None:
    """Print each message as it is published and delivered, until interrupted.

    Tracing is switched on for that time, and costs the node a copy of each message.
    """
    call.known("virtual host", vhost, ("vhosts", vhost))
    keys = [f"publish.{exchange}"] if exchange is not None else []
    keys += [f"deliver.{queue}"] if queue is not None else []
    left = count
    # Whatever ends it: tracing must not stay on.
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    with _tracing(call, vhost), _tail(call, vhost, keys or ["#"]) as name:
        call.note(f"tracing virtual host {vhost}: Ctrl-C ends it")
        while left is None or left > 0:
            body = {"count": min(left or BATCH, BATCH), "ackmode": "ack_requeue_false", "encoding": "auto"}
            messages = call.api.post("queues", vhost, name, "get", body=body)
            for message in messages:
                print(json.dumps(_event(message)) if call.as_json else line_of(message), flush=True)
            left = None if left is None else left - len(messages)
            if not messages:
                time.sleep(POLL_SECONDS)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


@contextmanager
def _tracing(call: Call, vhost: str) -> "Iterator[None]":
    """Tracing is on inside, and afterwards as it was before."""
    was_on = call.api.get("vhosts", vhost).get("tracing", False)
    if not was_on:
        call.api.put("vhosts", vhost, body={"tracing": True})
    try:
        yield
    finally:
        if not was_on:
            call.api.put("vhosts", vhost, body={"tracing": False})


@contextmanager
def _tail(call: Call, vhost: str, keys: list[str]) -> "Iterator[str]":
    """The name of a queue that gets what is traced, and is gone afterwards."""
    name = f"supersoniq-trace-{os.getpid()}-{time.monotonic_ns()}"
    arguments = {"x-expires": EXPIRES_MS, "x-max-length": MESSAGES_MAX}
    call.api.put("queues", vhost, name, body={"durable": False, "arguments": arguments})
    try:
        for key in keys:
            call.api.post("bindings", vhost, "e", EXCHANGE, "q", name, body={"routing_key": key})
        yield name
    finally:
        try:
            call.api.delete("queues", vhost, name)
        except ApiError as error:
            call.note(f"queue {name} is left behind and expires: {error}")


def _event(message: Item) -> Item:
    """What was traced, without the wrapping of the trace itself."""
    headers = message["properties"].get("headers", {})
    kind, _, name = message["routing_key"].partition(".")
    return {"event": kind, "name": name, "payload": message["payload"]} | {
        "payload_encoding": message["payload_encoding"],
        **headers,
    }


def line_of(message: Item) -> str:
    """One line for people: `publish exchange 'x' key 'a.b' by ann: the body`."""
    headers = message["properties"].get("headers", {})
    kind, _, name = message["routing_key"].partition(".")
    keys = ", ".join([f"'{key}'" for key in headers.get("routing_keys", [])])
    if kind == "publish":
        queues = ", ".join(headers.get("routed_queues", [])) or "no queue"
        what = f"publish to '{name}' with {keys} by {headers.get('user', '')} → {queues}"
    else:
        again = " again" if headers.get("redelivered") else ""
        what = f"deliver{again} from '{name}', published to '{headers.get('exchange_name', '')}' with {keys}"
    properties = {key: value for key, value in headers.get("properties", {}).items() if value not in ({}, "")}
    parts = [
        time.strftime("%H:%M:%S"),
        what,
        json.dumps(properties) if properties else "",
        with_text(message)["text"],
    ]
    return printable("  ".join([part for part in parts if part]))


COMMAND: Command = trace
