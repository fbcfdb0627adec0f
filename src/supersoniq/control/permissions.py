"""Permissions: what users may do in virtual hosts, granted and taken."""

from supersoniq.auth.permissions import InvalidPattern, Permission, Permissions, TopicPermission
from supersoniq.auth.users import Users
from supersoniq.broker.vhost import VHost
from supersoniq.control import kept as kinds
from supersoniq.control.actor import Actor
from supersoniq.control.errors import Invalid, Missing
from supersoniq.control.kept import Kept
from supersoniq.control.names import check_length
from supersoniq.control.telling import Teller


class PermissionChanges:
    """Changes permissions."""

    def __init__(
        self, users: Users, vhosts: dict[str, VHost], permissions: Permissions, kept: Kept, teller: Teller
    ) -> None:
        self._users = users
        self._vhosts = vhosts
        self._permissions = permissions
        self._kept = kept
        self._teller = teller

    def put(self, user: str, vhost: str, configure: str, write: str, read: str, actor: Actor) -> int:
        """Let a user into a virtual host."""
        self._check(user, vhost)
        try:
            permission = Permission(configure, write, read)
        except InvalidPattern as error:
            raise Invalid(str(error)) from error
        self._permissions.put(user, vhost, permission)
        values: dict[str, object] = {"configure": configure, "write": write, "read": read}
        sequence = self._kept.put(kinds.PERMISSION, vhost, user, values)
        self._teller.tell(actor, "permission.created", {"user": user, "vhost": vhost, **values})
        return sequence

    def clear(self, user: str, vhost: str, actor: Actor) -> int:
        """Shut a user out of a virtual host; topic permissions stay."""
        self._check(user, vhost)
        if not self._permissions.remove(user, vhost):
            return 0
        sequence = self._kept.remove(kinds.PERMISSION, vhost, user)
        self._teller.tell(actor, "permission.deleted", {"user": user, "vhost": vhost})
        return sequence

    def put_topic(self, user: str, vhost: str, exchange: str, write: str, read: str, actor: Actor) -> int:
        """Say which routing keys of an exchange, which may be missing, a user may use."""
        self._check(user, vhost)
        check_length("exchange", exchange)
        try:
            permission = TopicPermission(write, read)
        except InvalidPattern as error:
            raise Invalid(str(error)) from error
        self._permissions.put_topic(user, vhost, exchange, permission)
        fields: dict[str, object] = {"user": user, "vhost": vhost, "exchange": exchange}
        self._teller.tell(actor, "topic.permission.created", {**fields, "write": write, "read": read})
        return self._keep_topics(user, vhost)

    def clear_topic(self, user: str, vhost: str, exchange: str | None, actor: Actor) -> int:
        """Forget about the routing keys of one exchange, or of all in the virtual host."""
        self._check(user, vhost)
        if not self._permissions.remove_topic(user, vhost, exchange):
            return 0
        fields: dict[str, object] = {"user": user, "vhost": vhost}
        if exchange is not None:
            fields["exchange"] = exchange
        self._teller.tell(actor, "topic.permission.deleted", fields)
        return self._keep_topics(user, vhost)

    def _keep_topics(self, user: str, vhost: str) -> int:
        value = {
            exchange: {"write": topic.write, "read": topic.read}
            for owner, place, exchange, topic in self._permissions.topic_rows()
            if (owner, place) == (user, vhost)
        }
        if not value:
            return self._kept.remove(kinds.TOPIC_PERMISSIONS, vhost, user)
        return self._kept.put(kinds.TOPIC_PERMISSIONS, vhost, user, value)

    def _check(self, user: str, vhost: str) -> None:
        if user not in self._users:
            raise Missing("user", user)
        if vhost not in self._vhosts:
            raise Missing("vhost", vhost)
