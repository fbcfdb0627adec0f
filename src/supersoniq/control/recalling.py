"""Recalling: what the store kept of control is known again when a node starts."""

import json
import logging

from supersoniq.auth.passwords import PasswordHash
from supersoniq.auth.permissions import InvalidPattern, Permission, Permissions, TopicPermission
from supersoniq.auth.users import User, Users
from supersoniq.broker.definitions import Setting
from supersoniq.broker.policies import Policy
from supersoniq.broker.vhost import VHost
from supersoniq.control import kept as kinds
from supersoniq.control.errors import ControlError
from supersoniq.control.kept import Kept
from supersoniq.control.parameters import GlobalParameterChanges
from supersoniq.control.policies import checked_policy
from supersoniq.control.records import VHostMetadata
from supersoniq.control.users import UserChanges
from supersoniq.control.vhosts import VHostChanges

logger = logging.getLogger(__name__)

# What comes later needs what comes earlier.
ORDER = (
    kinds.VHOST,
    kinds.USER,
    kinds.PERMISSION,
    kinds.TOPIC_PERMISSIONS,
    kinds.VHOST_LIMITS,
    kinds.POLICY,
    kinds.OPERATOR_POLICY,
    kinds.GLOBAL_PARAMETER,
    kinds.CONFIGURED,
)


class Recalling:
    """Puts what was kept into force. `configured` has the names that the configuration has brought."""

    def __init__(
        self,
        vhosts: dict[str, VHost],
        users: Users,
        permissions: Permissions,
        vhost_changes: VHostChanges,
        user_changes: UserChanges,
        global_parameters: GlobalParameterChanges,
    ) -> None:
        self.configured: dict[str, list[str]] = {}
        self._vhosts = vhosts
        self._users = users
        self._permissions = permissions
        self._vhost_changes = vhost_changes
        self._user_changes = user_changes
        self._global_parameters = global_parameters
        self._policies: dict[str, list[Policy]] = {}

    def recall(self, kept: Kept) -> None:
        """Do it. What this version does not understand is named in the log, and stays where it is."""
        settings = kept.recall()
        unknown = [setting for setting in settings if setting.kind not in ORDER]
        for kind in ORDER:
            for setting in settings:
                if setting.kind != kind:
                    continue
                try:
                    self._recall(setting, json.loads(setting.value))
                except (ControlError, InvalidPattern, ValueError, LookupError, TypeError):
                    unknown.append(setting)
        for setting in unknown:
            place = f" of vhost {setting.vhost}" if setting.vhost else ""
            logger.error(
                "stored %s '%s'%s is not understood, and left out", setting.kind, setting.name, place
            )
        for name, policies in self._policies.items():
            self._vhosts[name].policies.put(policies)

    def _recall(self, setting: Setting, value: object) -> None:
        name, place = setting.name, setting.vhost
        if setting.kind == kinds.GLOBAL_PARAMETER:
            self._global_parameters.recall(name, value)
        elif setting.kind == kinds.CONFIGURED:
            self.configured[name] = [str(each) for each in value] if isinstance(value, list) else []
        elif not isinstance(value, dict):
            raise TypeError(setting.kind)
        elif setting.kind == kinds.VHOST:
            tags = tuple(str(tag) for tag in value["tags"])
            metadata = VHostMetadata(
                str(value["description"]), tags, str(value["default_queue_type"]), bool(value["tracing"])
            )
            self._vhost_changes.recall(name, metadata)
        elif setting.kind == kinds.USER:
            self._user_changes.recall(_user(name, value))
        else:
            self._recall_of_vhost(setting, self._vhosts[place], value)

    def _recall_of_vhost(self, setting: Setting, vhost: VHost, value: dict[str, object]) -> None:
        name = setting.name
        if setting.kind == kinds.PERMISSION:
            permission = Permission(str(value["configure"]), str(value["write"]), str(value["read"]))
            self._permissions.put(self._known(name), vhost.name, permission)
        elif setting.kind == kinds.TOPIC_PERMISSIONS:
            for exchange, topic in value.items():
                assert isinstance(topic, dict)
                permission_of_topic = TopicPermission(str(topic["write"]), str(topic["read"]))
                self._permissions.put_topic(self._known(name), vhost.name, exchange, permission_of_topic)
        elif setting.kind == kinds.VHOST_LIMITS:
            vhost.limits.put(value)
        else:
            is_operator = setting.kind == kinds.OPERATOR_POLICY
            policy = checked_policy(
                name,
                value["pattern"],
                value["apply-to"],
                value["priority"],
                value["definition"],
                is_operator,
            )
            self._policies.setdefault(vhost.name, []).append(policy)

    def _known(self, user: str) -> str:
        if user not in self._users:
            raise LookupError(user)
        return user


def _user(name: str, value: dict[str, object]) -> User:
    encoded, algorithm = str(value["password_hash"]), str(value["hashing_algorithm"])
    tags, limits = value["tags"], value["limits"]
    assert isinstance(tags, list)
    assert isinstance(limits, dict)
    password = PasswordHash(algorithm, encoded) if encoded else None
    return User(name, password, frozenset(str(tag) for tag in tags), dict(limits))
