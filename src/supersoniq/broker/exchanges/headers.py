"""Headers exchange: a binding's arguments are compared with the message's headers.

`x-match` is `all` (also when absent), `any`, `all-with-x` or `any-with-x`; without `-with-x`, arguments whose
name begins with `x-` do not count. A void argument asks only that the header is there.
"""

from typing import Final

from supersoniq.amqp.errors import PreconditionFailed
from supersoniq.amqp.primitives import erlang_binary
from supersoniq.amqp.properties import headers_property
from supersoniq.amqp.tables import KIND_NAMES, Field, Table
from supersoniq.broker.exchanges.base import Binding, Destination, Exchange

MATCH_ALL: Final = (b"all", b"all-with-x")
MATCH_ANY: Final = (b"any", b"any-with-x")
VOID: Final = ord("V")


class _Rule:
    """A binding's arguments, ready to be compared."""

    def __init__(self, binding: Binding) -> None:
        mode = _mode(binding.arguments)
        self.destination = binding.destination
        self.any = mode in MATCH_ANY
        with_x = mode.endswith(b"-with-x")
        self.wanted: Table = {}
        for name, value in binding.arguments.items():
            if name != b"x-match" and (with_x or not name.startswith(b"x-")):
                self.wanted[name] = value

    def accepts(self, headers: Table) -> bool:
        """Whether the headers match; nothing wanted is true for `all` and false for `any`."""
        for name, value in self.wanted.items():
            if _agrees(value, headers.get(name)) == self.any:
                return self.any
        return not self.any


class HeadersExchange(Exchange):
    """spec: exchange.type headers."""

    kind = "headers"
    by_key_alone = False

    def __init__(
        self, name: bytes, durable: bool, auto_delete: bool, internal: bool, arguments: Table
    ) -> None:
        super().__init__(name, durable, auto_delete, internal, arguments)
        self._rules: dict[Binding, _Rule] = {}

    def check(self, binding: Binding) -> None:
        """Raise 406 for an unknown x-match."""
        field = binding.arguments.get(b"x-match")
        if field is None:
            return
        if not field.is_string:
            raise PreconditionFailed(
                f"Invalid x-match field type {KIND_NAMES[field.kind]} (value {field.value}); expected longstr"
            )
        if field.octets() not in MATCH_ALL and field.octets() not in MATCH_ANY:
            raise PreconditionFailed(
                f"Invalid x-match field value {erlang_binary(field.octets())}; "
                "expected all, any, all-with-x, or any-with-x"
            )

    def added(self, binding: Binding) -> None:
        """Prepare the binding's rule."""
        self._rules[binding] = _Rule(binding)

    def removed(self, binding: Binding) -> None:
        """Drop the binding's rule."""
        del self._rules[binding]

    def match(self, routing_key: bytes, header: bytes, into: list[Destination]) -> None:
        """Append the destinations whose rule accepts the message's headers."""
        headers = headers_property(header)
        for rule in self._rules.values():
            if rule.accepts(headers):
                into.append(rule.destination)


def _mode(arguments: Table) -> bytes:
    field = arguments.get(b"x-match")
    return b"all" if field is None else field.octets()


def _agrees(wanted: Field, header: Field | None) -> bool:
    return header is not None and (wanted.kind == VOID or wanted.equals(header))
