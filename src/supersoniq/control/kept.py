"""What the store keeps of control: settings, whose values are JSON here."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from supersoniq.broker.definitions import Setting, SettingKey
from supersoniq.broker.store import Store

# The kinds of settings, and what name and value of each are; the virtual host of some stands beside them.
USER: Final = "user"  # name: {password_hash, hashing_algorithm, tags, limits}
VHOST: Final = "vhost"  # name: {description, tags, default_queue_type, tracing}
PERMISSION: Final = "permission"  # user: {configure, write, read}
TOPIC_PERMISSIONS: Final = "topic_permissions"  # user: {exchange: {write, read}}
POLICY: Final = "policy"  # name: {pattern, apply-to, priority, definition}
OPERATOR_POLICY: Final = "operator_policy"  # the same
VHOST_LIMITS: Final = "vhost_limits"  # "limits": {max-queues, max-connections}
GLOBAL_PARAMETER: Final = "global_parameter"  # name: the value
CONFIGURED: Final = "configured"  # "users", "vhosts": the names of which the configuration was heard


class Kept:
    """Puts settings into a store, and knows what is there. A sequence says when they are safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._depth = 0
        self._sequence = 0
        self._octets: dict[SettingKey, bytes] = {}

    def recall(self) -> list[Setting]:
        """Return what the store has from before; to be called once, when that is known."""
        settings = self._store.settings()
        self._octets = {setting.key: setting.value for setting in settings}
        return settings

    def known(self) -> list[SettingKey]:
        """Return kind, virtual host and name of all that is kept."""
        return list(self._octets)

    def put(self, kind: str, vhost: str, name: str, value: object) -> int:
        """Keep a setting, in place of the one of that kind and name."""
        octets = json.dumps(value, separators=(",", ":")).encode()
        key = (kind, vhost, name)
        if self._octets.get(key) == octets:
            return self._sequence  # it may not be safe yet
        self._octets[key] = octets
        return self._note(int(self._store.declared(Setting(kind, vhost, name, octets))))

    def remove(self, kind: str, vhost: str, name: str) -> int:
        """Forget a setting; one that is not kept is fine."""
        if self._octets.pop((kind, vhost, name), None) is None:
            return self._sequence
        return self._note(int(self._store.removed(Setting(kind, vhost, name, b""))))

    def _note(self, sequence: int) -> int:
        self._sequence = max(self._sequence, sequence)
        return sequence

    @property
    def sequence(self) -> int:
        """The sequence that covers everything that was put and removed so far."""
        return self._sequence

    @contextmanager
    def together(self) -> Iterator[None]:
        """Have what is changed meanwhile, definitions of virtual hosts too, be safe as a whole or not at all.

        It may be within another one.
        """
        self._depth += 1
        if self._depth == 1:
            self._store.begin()
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._note(int(self._store.commit()))
