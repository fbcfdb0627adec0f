"""The ports of control: what it asks of the node that it is part of."""

from abc import ABC, abstractmethod

from supersoniq.broker.vhost import VHost


class NodeParts(ABC):
    """The node, as far as changes reach beyond the registries."""

    @abstractmethod
    def make_vhost(self, name: str) -> VHost:
        """Return a new virtual host with its predeclared exchanges."""

    @abstractmethod
    def make_stage(self, name: str) -> VHost:
        """Return a virtual host for rehearsals: nothing that it does is seen or kept."""

    @abstractmethod
    def default_queue_type(self) -> str:
        """Return the type of durable queues that neither say one nor are in a virtual host that does."""

    @abstractmethod
    def close_connections_of_vhost(self, name: str, reason: str) -> None:
        """Close all connections to a virtual host with 320."""

    @abstractmethod
    def close_connections_of_user(self, name: str, reason: str) -> None:
        """Close all connections of a user with 320."""

    def vhost_deleted(self, vhost: VHost) -> None:  # noqa: B027  (who counts nothing does not care)
        """Take note that a virtual host is gone, with all that was in it."""

    @abstractmethod
    def cluster_name_changed(self, name: str) -> None:
        """Tell new clients another name in Connection.Start; an empty one is the node's own."""

    @abstractmethod
    def end_turn(self) -> None:
        """Have what was changed take its way: to the disk, to queues and clients."""
