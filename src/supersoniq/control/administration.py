"""Administration: the one place where what operators set is changed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from supersoniq.broker.events import Events
from supersoniq.broker.store import Store
from supersoniq.broker.vhost import VHost
from supersoniq.control.actor import Actor
from supersoniq.control.ports import NodeParts
from supersoniq.control.records import VHostMetadata

if TYPE_CHECKING:
    from supersoniq.auth.passwords import PasswordHash
    from supersoniq.auth.permissions import Permissions
    from supersoniq.auth.users import Users


class Administration:
    """Users, virtual hosts, permissions, policies, limits, parameters of one node.

    Each change raises Invalid or Missing, and then has changed nothing, or is in force at once and returns
    the store's sequence that makes it safe: `await durable(sequence)` waits for that. The last argument says
    who wants it. A change of what is the same already is fine.
    """

    def __init__(
        self,
        vhosts: dict[str, VHost],
        users: "Users",
        permissions: "Permissions",
        store: Store,
        events: Events,
        node: NodeParts,
    ) -> None:
        # For reading only; changed by the methods below.
        self.vhosts = vhosts
        self.users = users
        self.permissions = permissions
        self.vhost_metadata: dict[str, VHostMetadata] = {}
        self.parameters: dict[tuple[str, str, str], object] = {}  # by component, vhost, name
        self.global_parameters: dict[str, object] = {}
        self._store = store
        self._events = events
        self._node = node

    @property
    def cluster_name(self) -> str:
        """What the cluster is called: the global parameter of this name, or what the node is called."""
        raise NotImplementedError

    async def durable(self, sequence: int) -> None:
        """Wait until a change is safe; raises NotStored if the disk does not take it."""
        raise NotImplementedError

    # Virtual hosts

    def put_vhost(
        self,
        name: str,
        description: str,
        tags: list[str],
        default_queue_type: str,
        tracing: bool,
        actor: Actor,
    ) -> int:
        """Make a virtual host, or change what is said of it; an empty `default_queue_type` is the node's."""
        raise NotImplementedError

    def delete_vhost(self, name: str, actor: Actor) -> int:
        """Delete a virtual host and all that is in it, and close its connections."""
        raise NotImplementedError

    # Users

    def put_user(self, name: str, password: "PasswordHash | None", tags: frozenset[str], actor: Actor) -> int:
        """Make a user, or give it another password and tags; without a password nobody can log in with one.

        The hash is computed by the caller, off the loop.
        """
        raise NotImplementedError

    def set_tags(self, name: str, tags: frozenset[str], actor: Actor) -> int:
        """Give a user other tags."""
        raise NotImplementedError

    def delete_user(self, name: str, actor: Actor) -> int:
        """Delete a user with its permissions, and close its connections."""
        raise NotImplementedError

    # Permissions

    def put_permission(
        self, user: str, vhost: str, configure: str, write: str, read: str, actor: Actor
    ) -> int:
        """Let a user into a virtual host; the patterns say what it may do there."""
        raise NotImplementedError

    def clear_permission(self, user: str, vhost: str, actor: Actor) -> int:
        """Take a user's permission for a virtual host; without one nothing happens."""
        raise NotImplementedError

    def put_topic_permission(
        self, user: str, vhost: str, exchange: str, write: str, read: str, actor: Actor
    ) -> int:
        """Say which routing keys of a topic exchange a user may publish with and bind."""
        raise NotImplementedError

    def clear_topic_permission(self, user: str, vhost: str, exchange: str | None, actor: Actor) -> int:
        """Take a user's topic permission for one exchange, or for all of a virtual host."""
        raise NotImplementedError

    # Policies

    def put_policy(
        self,
        vhost: str,
        name: str,
        pattern: object,
        apply_to: object,
        priority: object,
        definition: object,
        is_operator: bool,
        actor: Actor,
    ) -> int:
        """Set a policy of a virtual host from values of JSON."""
        raise NotImplementedError

    def delete_policy(self, vhost: str, name: str, is_operator: bool, actor: Actor) -> int:
        """Remove a policy."""
        raise NotImplementedError

    # Limits

    def put_vhost_limits(self, vhost: str, values: Mapping[str, object], actor: Actor) -> int:
        """Set limits of a virtual host by their names, and leave the others."""
        raise NotImplementedError

    def clear_vhost_limits(self, vhost: str, names: list[str] | None, actor: Actor) -> int:
        """Remove limits of a virtual host, all if `names` is None."""
        raise NotImplementedError

    def put_user_limits(self, user: str, values: Mapping[str, object], actor: Actor) -> int:
        """Set limits of a user by their names, and leave the others."""
        raise NotImplementedError

    def clear_user_limits(self, user: str, names: list[str] | None, actor: Actor) -> int:
        """Remove limits of a user, all if `names` is None."""
        raise NotImplementedError

    # Parameters

    def put_parameter(self, component: str, vhost: str, name: str, value: object, actor: Actor) -> int:
        """Set a parameter: a policy, limits, or what a component keeps."""
        raise NotImplementedError

    def delete_parameter(self, component: str, vhost: str, name: str, actor: Actor) -> int:
        """Remove a parameter."""
        raise NotImplementedError

    def put_global_parameter(self, name: str, value: object, actor: Actor) -> int:
        """Set a global parameter; that of the name `cluster_name` is what clients are told."""
        raise NotImplementedError

    def delete_global_parameter(self, name: str, actor: Actor) -> int:
        """Remove a global parameter."""
        raise NotImplementedError
