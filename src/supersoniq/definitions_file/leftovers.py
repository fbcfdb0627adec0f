"""Leftovers: what a document has and a node cannot honour. It is left out, and told."""

from collections.abc import Iterator
from typing import NamedTuple

from supersoniq.amqp.primitives import octets
from supersoniq.auth.passwords import is_known_algorithm
from supersoniq.broker.arguments import OF_TYPE
from supersoniq.broker.delays import DELAYED_KIND
from supersoniq.broker.exchanges.kinds import KINDS
from supersoniq.broker.vhost import RESERVED, VHost
from supersoniq.control import limits
from supersoniq.control.parameters import OPERATOR_POLICY
from supersoniq.control.vhosts import QUEUE_TYPES
from supersoniq.definitions_file.document import Document, ExchangePart, QueuePart, UserPart, VHostPart

SHOWN_MAX = 10


class Leftover(NamedTuple):
    """One thing that is left out, or has less than the document says."""

    what: str  # in the plural, with the reason: `parameters of component shovel`
    vhost: str
    name: str


def leftovers_of(document: Document, vhosts: dict[str, VHost]) -> tuple[Document, list[Leftover]]:
    """Return the document without what cannot be honoured, and that."""
    found: list[Leftover] = []
    changed: dict[str, object] = {
        "vhosts": [_vhost(part, found) for part in document.vhosts],
        "users": [_user(part, found) for part in document.users],
        "parameters": [
            part
            for part in document.parameters
            if _is_known(part.component) or _out(found, f"parameters of component {part.component}", part)
        ],
        "exchanges": [part for part in document.exchanges if _has_kind(part, vhosts, found)],
        "queues": [part for part in document.queues if _has_type(part, found)],
    }
    gone = {(leftover.vhost, leftover.name) for leftover in found if leftover.what.startswith("exchanges")}
    gone_queues = {
        (leftover.vhost, leftover.name) for leftover in found if leftover.what.startswith("queues")
    }
    changed["bindings"] = [
        part
        for part in document.bindings
        if not (
            (part.vhost, part.source) in gone
            or (part.vhost, part.destination) in (gone_queues if part.destination_type == "queue" else gone)
        )
        or _out_binding(found, part.vhost, f"{part.source} > {part.destination}")
    ]
    return document.model_copy(update=changed), found


def _is_known(component: str) -> bool:
    return component in (OPERATOR_POLICY, limits.COMPONENT)


def _out(found: list[Leftover], what: str, part: object) -> bool:
    """Note a part that is left out; false."""
    found.append(Leftover(what, getattr(part, "vhost", ""), getattr(part, "name", "")))
    return False


def _out_binding(found: list[Leftover], vhost: str, name: str) -> bool:
    found.append(Leftover("bindings of what is left out", vhost, name))
    return False


def _vhost(part: VHostPart, found: list[Leftover]) -> VHostPart:
    queue_type = part.said().default_queue_type
    if queue_type is None or queue_type in QUEUE_TYPES:
        return part
    found.append(Leftover(f"default queue type {queue_type}", part.name, part.name))
    metadata = part.said().model_copy(update={"default_queue_type": None})
    return part.model_copy(update={"default_queue_type": None, "metadata": metadata})


def _user(part: UserPart, found: list[Leftover]) -> UserPart:
    if not part.password_hash or is_known_algorithm(part.hashing_algorithm):
        return part
    found.append(Leftover(f"passwords of users with hashes of {part.hashing_algorithm}", "", part.name))
    return part.model_copy(update={"password_hash": None})


def _has_kind(part: ExchangePart, vhosts: dict[str, VHost], found: list[Leftover]) -> bool:
    if part.type not in KINDS and part.type != DELAYED_KIND:
        return _out(found, f"exchanges of type {part.type}", part)
    name, vhost = octets(part.name), vhosts.get(part.vhost)
    if name.startswith(RESERVED) and vhost is not None and name not in vhost.exchanges:
        return _out(found, "exchanges of RabbitMQ's own", part)
    return True


def _has_type(part: QueuePart, found: list[Leftover]) -> bool:
    queue_type = part.arguments.get("x-queue-type", part.type or "classic")
    if isinstance(queue_type, str) and octets(queue_type) not in OF_TYPE:
        return _out(found, f"queues of type {queue_type}", part)
    return True


def lines_of(leftovers: list[Leftover]) -> Iterator[str]:
    """Give one line for each kind of leftovers, with some of the names."""
    names: dict[str, list[str]] = {}
    for leftover in leftovers:
        names.setdefault(leftover.what, []).append(leftover.name)
    for what, each in names.items():
        shown = ", ".join(each[:SHOWN_MAX])
        more = f" and {len(each) - SHOWN_MAX} more" if len(each) > SHOWN_MAX else ""
        yield f"{what}: {shown}{more}"
