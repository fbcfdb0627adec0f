"""Staging: a node beside the real one, on which a document is rehearsed, and of which nothing is kept."""

from supersoniq.amqp.primitives import octets
from supersoniq.auth.permissions import Permissions
from supersoniq.auth.users import Users
from supersoniq.broker.events import NoEvents
from supersoniq.broker.exchanges.kinds import new_exchange
from supersoniq.broker.limits import UserLimits
from supersoniq.broker.queues.queue import NOBODY
from supersoniq.broker.vhost import HIDDEN_PREFIXES, VHost
from supersoniq.control.administration import Administration
from supersoniq.control.ports import NodeParts
from supersoniq.definitions_file.document import Document


class _Stage(NodeParts):
    """The stage's node: it has no clients."""

    def __init__(self, node: NodeParts) -> None:
        self._node = node

    def make_vhost(self, name: str) -> VHost:
        """Return one for rehearsals."""
        vhost = self._node.make_stage(name)
        vhost.default_queue_type = self.default_queue_type().encode()
        return vhost

    def make_stage(self, name: str) -> VHost:
        """Return one for rehearsals."""
        return self._node.make_stage(name)

    def default_queue_type(self) -> str:
        """Return that of the node."""
        return self._node.default_queue_type()

    def close_connections_of_vhost(self, name: str, reason: str) -> None:
        """Do nothing."""

    def close_connections_of_user(self, name: str, reason: str) -> None:
        """Do nothing."""

    def cluster_name_changed(self, name: str) -> None:
        """Do nothing."""

    def end_turn(self) -> None:
        """Do nothing."""


def staged(administration: Administration, document: Document) -> Administration:
    """Return a copy of what a document may change; of exchanges and queues only those that it names."""
    node = _Stage(administration.node)
    permissions = Permissions()
    for user, place, permission in administration.permissions.rows():
        permissions.put(user, place, permission)
    for user, place, exchange, topic in administration.permissions.topic_rows():
        permissions.put_topic(user, place, exchange, topic)
    limits: dict[str, UserLimits] = {}
    for each in administration.users:
        limits.setdefault(each.name, UserLimits()).put(dict(each.limits))
    stage = Administration(
        {},
        Users(administration.users),
        permissions,
        lambda name: limits.setdefault(name, UserLimits()),
        node.make_stage("").store,
        NoEvents(),
        node,
    )
    for name, vhost in administration.vhosts.items():
        stage.vhosts[name] = copy = node.make_vhost(name)
        copy.default_queue_type = vhost.default_queue_type
    stage.vhost_metadata.update(administration.vhost_metadata)
    stage.global_parameters.update(administration.global_parameters)
    _furnish(document, administration.vhosts, stage.vhosts)
    for name, vhost in administration.vhosts.items():
        _limit(vhost, stage.vhosts[name])
    return stage


def _furnish(document: Document, vhosts: dict[str, VHost], stages: dict[str, VHost]) -> None:
    """Have what the document names and is there."""
    exchanges = {(part.vhost, part.name) for part in document.exchanges}
    queues = {(part.vhost, part.name) for part in document.queues}
    for part in document.bindings:
        exchanges.add((part.vhost, part.source))
        (queues if part.destination_type == "queue" else exchanges).add((part.vhost, part.destination))
    for vhost, name in sorted(exchanges):
        exchange = vhosts[vhost].exchanges.get(octets(name)) if vhost in vhosts else None
        if exchange is not None and exchange.name not in stages[vhost].exchanges:
            stages[vhost].exchanges[exchange.name] = new_exchange(
                exchange.kind,
                exchange.name,
                exchange.durable,
                exchange.auto_delete,
                exchange.internal,
                exchange.arguments,
            )
    for vhost, name in sorted(queues):
        queue = vhosts[vhost].queues.get(octets(name)) if vhost in vhosts else None
        if queue is not None and not queue.name.startswith(HIDDEN_PREFIXES):
            stages[vhost].declare_queue(
                queue.name,
                queue.durable,
                queue.owner != NOBODY,
                queue.auto_delete,
                queue.options.arguments,
                queue.owner,
            )


def _limit(vhost: VHost, stage: VHost) -> None:
    """Have the limits that are left for what is new: the stage has fewer queues."""
    limits = dict(vhost.limits.definition())
    if vhost.limits.max_queues >= 0:
        hidden = sum(name.startswith(HIDDEN_PREFIXES) for name in vhost.queues)
        missing = len(vhost.queues) - hidden - len(stage.queues)
        limits["max-queues"] = max(0, limits["max-queues"] - missing)
    stage.limits.put(dict(limits))
