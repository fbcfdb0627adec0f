"""Administration: the one place where what operators set is changed."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from supersoniq.auth.passwords import PasswordHash
from supersoniq.auth.permissions import Permissions
from supersoniq.auth.users import Users
from supersoniq.broker.events import Events
from supersoniq.broker.limits import UserLimits
from supersoniq.broker.policies import Policy
from supersoniq.broker.store import Store
from supersoniq.broker.vhost import VHost
from supersoniq.control import kept as kinds
from supersoniq.control.actor import NODE, Actor
from supersoniq.control.durability import Awaited
from supersoniq.control.kept import Kept
from supersoniq.control.limits import LimitChanges
from supersoniq.control.parameters import (
    CLUSTER_NAME,
    GlobalParameterChanges,
    ParameterChanges,
    parameters_of,
)
from supersoniq.control.permissions import PermissionChanges
from supersoniq.control.policies import PolicyChanges, checked_policy
from supersoniq.control.ports import NodeParts
from supersoniq.control.recalling import Recalling
from supersoniq.control.records import VHostMetadata
from supersoniq.control.telling import Teller
from supersoniq.control.users import UserChanges
from supersoniq.control.vhosts import VHostChanges


class Administration:
    """Users, virtual hosts, permissions, policies, limits, parameters of one node.

    Each change raises Invalid or Missing, and then has changed nothing, or is in force at once and returns
    the store's sequence that makes it safe: `await durable(sequence)` waits for that. The last argument says
    who wants it. A change of what is the same already is fine.
    """

    def __init__(
        self,
        vhosts: dict[str, VHost],
        users: Users,
        permissions: Permissions,
        limits_of: Callable[[str], UserLimits],
        store: Store,
        events: Events,
        node: NodeParts,
    ) -> None:
        # For reading only; changed by the methods below.
        self.vhosts = vhosts
        self.users = users
        self.permissions = permissions
        self.vhost_metadata: dict[str, VHostMetadata] = {}
        self.global_parameters: dict[str, object] = {}
        self.configured: dict[str, list[str]] = {"users": [], "vhosts": []}
        self.limits_of = limits_of
        self.node = node
        self._store = store
        self._kept = kept = Kept(store)
        self._teller = teller = Teller(events)
        self._vhosts = VHostChanges(vhosts, self.vhost_metadata, permissions, kept, teller, node)
        self._users = UserChanges(users, permissions, limits_of, kept, teller, node)
        self._permissions = PermissionChanges(users, vhosts, permissions, kept, teller)
        self._policies = PolicyChanges(self._vhosts, kept, teller)
        self._limits = LimitChanges(self._vhosts, kept, teller)
        self._parameters = ParameterChanges(self._vhosts, self._policies, self._limits)
        self._global_parameters = GlobalParameterChanges(self.global_parameters, kept, teller, node)

    @property
    def cluster_name(self) -> str:
        """What the cluster is called: the global parameter of this name, empty if there is none."""
        name = self.global_parameters.get(CLUSTER_NAME)
        return name if isinstance(name, str) else ""

    @property
    def parameters(self) -> dict[tuple[str, str, str], object]:
        """The parameters by component, virtual host and name: operator policies and limits."""
        return parameters_of(self.vhosts)

    # Starting, and being safe

    def recall(self) -> None:
        """Put into force what the store has kept, before clients connect."""
        recalling = Recalling(
            self.vhosts,
            self.users,
            self.permissions,
            self._vhosts,
            self._users,
            self._global_parameters,
        )
        recalling.recall(self._kept)
        self.configured.update(recalling.configured)
        self.adopt()

    def adopt(self) -> None:
        """Keep virtual hosts that nobody put."""
        for name in self.vhosts:
            if name not in self.vhost_metadata:
                self._vhosts.put(name, VHostMetadata(), NODE)

    def note_configured(self, what: str, names: list[str]) -> None:
        """Remember the names of `users` or `vhosts` that the configuration has brought."""
        self.configured[what] = names
        self._kept.put(kinds.CONFIGURED, "", what, names)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Have all changes that are made meanwhile be safe as a whole or not at all."""
        with self._kept.together():
            yield

    @property
    def sequence(self) -> int:
        """The sequence that makes all changes safe that were made so far."""
        return self._kept.sequence

    def tell(self, actor: Actor, name: str, fields: dict[str, object]) -> None:
        """Emit an event of something that was done by several changes."""
        self._teller.tell(actor, name, fields)

    async def durable(self, sequence: int) -> None:
        """Wait until a change is safe; raises NotStored if the disk does not take it."""
        self.node.end_turn()
        if sequence > self._store.durable():
            await Awaited(self._store, sequence).safe

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
        """Make a virtual host, or change what is said of it; an empty `default_queue_type` is the node's.

        Nobody may use a new one before somebody gives a permission.
        """
        metadata = VHostMetadata(description, tuple(tags), default_queue_type, tracing)
        return self._vhosts.put(name, metadata, actor)

    def delete_vhost(self, name: str, actor: Actor) -> int:
        """Delete a virtual host and all that is in it, and close its connections."""
        return self._vhosts.delete(name, actor)

    # Users

    def put_user(self, name: str, password: PasswordHash | None, tags: frozenset[str], actor: Actor) -> int:
        """Make a user, or give it another password and tags; without a password nobody can log in with one.

        The hash is computed by the caller, off the loop.
        """
        return self._users.put(name, password, tags, actor)

    def set_tags(self, name: str, tags: frozenset[str], actor: Actor) -> int:
        """Give a user other tags."""
        return self._users.set_tags(name, tags, actor)

    def delete_user(self, name: str, actor: Actor) -> int:
        """Delete a user with its permissions, and close its connections."""
        return self._users.delete(name, actor)

    # Permissions

    def put_permission(
        self, user: str, vhost: str, configure: str, write: str, read: str, actor: Actor
    ) -> int:
        """Let a user into a virtual host; the patterns say what it may do there.

        For a pattern that cannot be used the cause of Invalid is `auth.permissions.InvalidPattern`.
        """
        return self._permissions.put(user, vhost, configure, write, read, actor)

    def clear_permission(self, user: str, vhost: str, actor: Actor) -> int:
        """Take a user's permission for a virtual host; without one nothing happens."""
        return self._permissions.clear(user, vhost, actor)

    def put_topic_permission(
        self, user: str, vhost: str, exchange: str, write: str, read: str, actor: Actor
    ) -> int:
        """Say which routing keys of a topic exchange a user may publish with and bind."""
        return self._permissions.put_topic(user, vhost, exchange, write, read, actor)

    def clear_topic_permission(self, user: str, vhost: str, exchange: str | None, actor: Actor) -> int:
        """Take a user's topic permission for one exchange, or for all of a virtual host."""
        return self._permissions.clear_topic(user, vhost, exchange, actor)

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
        self._vhosts.vhost(vhost)
        policy = checked_policy(name, pattern, apply_to, priority, definition, is_operator)
        return self._policies.put(vhost, [policy], actor)

    def put_policies(self, vhost: str, policies: list[Policy], actor: Actor) -> int:
        """Set policies of both kinds, as `checked_policy` makes them; cheaper than one by one."""
        return self._policies.put(vhost, policies, actor)

    def delete_policy(self, vhost: str, name: str, is_operator: bool, actor: Actor) -> int:
        """Remove a policy."""
        return self._policies.delete(vhost, name, is_operator, actor)

    # Limits

    def put_vhost_limits(self, vhost: str, values: Mapping[str, object], actor: Actor) -> int:
        """Set limits of a virtual host by their names, and leave the others."""
        return self._limits.put(vhost, values, actor)

    def clear_vhost_limits(self, vhost: str, names: list[str] | None, actor: Actor) -> int:
        """Remove limits of a virtual host, all if `names` is None."""
        return self._limits.clear(vhost, names, actor)

    def put_user_limits(self, user: str, values: Mapping[str, object], actor: Actor) -> int:
        """Set limits of a user by their names, and leave the others."""
        return self._users.put_limits(user, values, actor)

    def clear_user_limits(self, user: str, names: list[str] | None, actor: Actor) -> int:
        """Remove limits of a user, all if `names` is None."""
        return self._users.clear_limits(user, names, actor)

    # Parameters

    def put_parameter(self, component: str, vhost: str, name: str, value: object, actor: Actor) -> int:
        """Set a parameter of a component: an operator policy, or limits, that have no others then."""
        return self._parameters.put(component, vhost, name, value, actor)

    def delete_parameter(self, component: str, vhost: str, name: str, actor: Actor) -> int:
        """Remove a parameter."""
        return self._parameters.delete(component, vhost, name, actor)

    def put_global_parameter(self, name: str, value: object, actor: Actor) -> int:
        """Set a global parameter; that of the name `cluster_name` is what clients are told."""
        return self._global_parameters.put(name, value, actor)

    def delete_global_parameter(self, name: str, actor: Actor) -> int:
        """Remove a global parameter."""
        return self._global_parameters.delete(name, actor)
