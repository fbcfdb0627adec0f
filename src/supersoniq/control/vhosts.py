"""Virtual hosts: how they come, change and go while the node runs."""

import logging

from supersoniq.auth.permissions import Permissions
from supersoniq.broker.demolition import demolish
from supersoniq.broker.vhost import VHost
from supersoniq.control import kept as kinds
from supersoniq.control.actor import Actor
from supersoniq.control.errors import Invalid, Missing
from supersoniq.control.kept import Kept
from supersoniq.control.names import check_name
from supersoniq.control.ports import NodeParts
from supersoniq.control.records import VHostMetadata
from supersoniq.control.telling import Teller

logger = logging.getLogger(__name__)

# What a virtual host may say of queues that are declared without a type; "undefined" is RabbitMQ's word for
# none of its own.
QUEUE_TYPES = ("", "undefined", "classic", "quorum")


class VHostChanges:
    """Changes virtual hosts."""

    def __init__(
        self,
        vhosts: dict[str, VHost],
        metadata: dict[str, VHostMetadata],
        permissions: Permissions,
        kept: Kept,
        teller: Teller,
        node: NodeParts,
    ) -> None:
        self._vhosts = vhosts
        self._metadata = metadata
        self._permissions = permissions
        self._kept = kept
        self._teller = teller
        self._node = node

    def vhost(self, name: str) -> VHost:
        """Return a virtual host; raises Missing."""
        vhost = self._vhosts.get(name)
        if vhost is None:
            raise Missing("vhost", name)
        return vhost

    def put(self, name: str, metadata: VHostMetadata, actor: Actor) -> int:
        """Make a virtual host, or change what is said of it."""
        check_name("vhost", name)
        if metadata.default_queue_type not in QUEUE_TYPES:
            raise Invalid(f"unsupported queue type '{metadata.default_queue_type}'")
        if metadata.default_queue_type == "undefined":
            metadata = metadata._replace(default_queue_type="")
        is_new = name not in self._vhosts
        self.recall(name, metadata)
        if is_new:
            vhost = self._vhosts[name]
            with vhost.announcer.acting(actor.name, actor.address):
                vhost.announcer.opened(vhost.exchanges)
        sequence = self._kept.put(kinds.VHOST, "", name, metadata._asdict())
        fields: dict[str, object] = {
            "name": name,
            "description": metadata.description,
            "tags": list(metadata.tags),
            "default_queue_type": metadata.default_queue_type or "undefined",
            "tracing": metadata.tracing,
        }
        self._teller.tell(actor, "vhost.created" if is_new else "vhost.updated", fields)
        return sequence

    def recall(self, name: str, metadata: VHostMetadata) -> None:
        """Have a virtual host as it is described."""
        vhost = self._vhosts.get(name)
        if vhost is None:
            vhost = self._vhosts[name] = self._node.make_vhost(name)
        self._metadata[name] = metadata
        vhost.default_queue_type = (metadata.default_queue_type or self._node.default_queue_type()).encode()
        if metadata.tracing != vhost.tracing.is_on:
            vhost.tracing.switch(metadata.tracing)

    def delete(self, name: str, actor: Actor) -> int:
        """Delete a virtual host with all that is in it, and close its connections."""
        vhost = self.vhost(name)
        del self._vhosts[name]
        self._metadata.pop(name, None)
        # What it has in hand goes back first.
        self._node.close_connections_of_vhost(name, f"vhost '{name}' is deleted")
        with self._kept.together():
            with vhost.announcer.acting(actor.name, actor.address):
                demolish(vhost)
            self._node.vhost_deleted(vhost)
            for kind, place, setting in self._kept.known():
                if place == name:
                    self._kept.remove(kind, name, setting)
            self._kept.remove(kinds.VHOST, "", name)
        gone = [user for user, place, _ in self._permissions.rows() if place == name]
        self._permissions.forget_vhost(name)
        for user in gone:
            self._teller.tell(actor, "permission.deleted", {"vhost": name, "user": user})
        self._teller.tell(actor, "vhost.deleted", {"name": name})
        logger.info("vhost %s: deleted by %s", name, actor.name)
        return self._kept.sequence
