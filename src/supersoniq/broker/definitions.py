"""Definitions.

What was declared or set to last, as values that a store keeps and a node is restored from.
"""

from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from supersoniq.amqp.tables import Table
from supersoniq.broker.ports import QueueStore


@mypyc_attr(allow_interpreted_subclasses=True)
class Definition:
    """One durable thing. `stored` belongs to the store: where it keeps it."""

    def __init__(self, vhost: str, arguments: Table) -> None:
        self.vhost = vhost
        self.arguments = arguments
        self.stored: i64 = 0


@final
class ExchangeDefinition(Definition):
    """A durable exchange."""

    def __init__(
        self, vhost: str, name: bytes, kind: str, auto_delete: bool, internal: bool, arguments: Table
    ) -> None:
        super().__init__(vhost, arguments)
        self.name = name
        self.kind = kind
        self.auto_delete = auto_delete
        self.internal = internal


@final
class QueueDefinition(Definition):
    """A durable queue, and what keeps its messages."""

    def __init__(
        self, vhost: str, name: bytes, auto_delete: bool, arguments: Table, kept: QueueStore
    ) -> None:
        super().__init__(vhost, arguments)
        self.name = name
        self.auto_delete = auto_delete
        self.kept = kept


@final
class BindingDefinition(Definition):
    """A binding whose ends are both durable."""

    def __init__(
        self,
        vhost: str,
        source: bytes,
        destination: bytes,
        to_exchange: bool,
        binding_key: bytes,
        arguments: Table,
    ) -> None:
        super().__init__(vhost, arguments)
        self.source = source
        self.destination = destination
        self.to_exchange = to_exchange
        self.binding_key = binding_key


# What makes it the same setting: kind, virtual host, name.
SettingKey = tuple[str, str, str]
# Kind, virtual host and name of a setting are short strings.
SETTING_NAME_BYTES_MAX: Final = 255


@final
class Setting(Definition):
    """What an operator has set: a user, a permission, a policy. `value` is the octets of JSON.

    One with the same kind, virtual host and name takes its place; the virtual host is empty where it is not
    of one. Whoever sets it says what value and name mean; the store does not look into them.
    """

    def __init__(self, kind: str, vhost: str, name: str, value: bytes) -> None:
        super().__init__(vhost, {})
        self.kind = kind
        self.name = name
        self.value = value

    @property
    def key(self) -> SettingKey:
        """Return what makes it the same setting."""
        return self.kind, self.vhost, self.name
