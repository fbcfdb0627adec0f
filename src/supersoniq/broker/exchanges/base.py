"""What all exchanges are: sources of bindings, and like queues their destinations."""

from abc import ABC, abstractmethod

from mypy_extensions import i64, mypyc_attr

from supersoniq.amqp.primitives import octets
from supersoniq.amqp.tables import Table, encode_table
from supersoniq.broker.counters import MessageCounters
from supersoniq.broker.definitions import BindingDefinition, ExchangeDefinition
from supersoniq.broker.message import Message
from supersoniq.broker.policies import Policy, merged
from supersoniq.broker.queues.rules import deduplicates

# Kind of destination, its name, binding key, arguments in a canonical order.
BindingIdentity = tuple[bool, bytes, bytes, bytes]


@mypyc_attr(allow_interpreted_subclasses=True)
class Destination:
    """A queue or an exchange: what messages are routed to.

    `visit` belongs to the router: the number of the last routing that came by.
    """

    def __init__(self, name: bytes, durable: bool) -> None:
        self.name = name
        self.durable = durable
        self.visit: i64 = 0
        self.inbound: dict[Binding, None] = {}  # those that lead here, in order
        self.policy: Policy | None = None  # of all that concern it, the one that counts
        self.operator_policy: Policy | None = None

    def effective_definition(self) -> dict[str, object]:
        """Return what its policies want together."""
        return merged(self.policy, self.operator_policy)


class Binding:
    """One rule of an exchange: what matches goes to `destination`."""

    def __init__(
        self, source: "Exchange", destination: Destination, binding_key: bytes, arguments: Table
    ) -> None:
        self.source = source
        self.destination = destination
        self.binding_key = binding_key
        self.arguments = arguments
        self.definition: BindingDefinition | None = None

    def identity(self) -> BindingIdentity:
        """Return what makes two bindings of one exchange the same (spec: queue.bind/duplicates)."""
        arguments = b""
        if self.arguments:
            arguments = encode_table({name: self.arguments[name] for name in sorted(self.arguments)})
        return (isinstance(self.destination, Exchange), self.destination.name, self.binding_key, arguments)


@mypyc_attr(allow_interpreted_subclasses=True)
class Exchange(Destination, ABC):
    """One exchange of a virtual host."""

    kind = ""
    # Whether the destinations depend on nothing but the routing key, so that the answer may be remembered.
    by_key_alone = True
    # Whether only the first of a message's routing keys counts, so that there is one destination.
    takes_one_key = False
    # Whether it keeps messages; `by_key_alone` is false then.
    keeps = False

    def __init__(
        self, name: bytes, durable: bool, auto_delete: bool, internal: bool, arguments: Table
    ) -> None:
        super().__init__(name, durable)
        self.definition: ExchangeDefinition | None = None
        self.auto_delete = auto_delete
        self.internal = internal
        self.arguments = arguments
        self.alternate: bytes | None = None
        self.apply({})
        delays = arguments.get(b"x-delayed-exchange")
        self.deduplicates = deduplicates(arguments)
        self.delays = delays is not None and delays.value is True
        self.bindings: dict[BindingIdentity, Binding] = {}
        self.counters = MessageCounters()

    def apply(self, definition: dict[str, object]) -> None:
        """Go by the definition of policies from now on; an argument counts before it."""
        alternate = self.arguments.get(b"alternate-exchange")
        wanted = definition.get("alternate-exchange")
        if alternate is not None and alternate.is_string:
            self.alternate = alternate.octets()
        else:
            self.alternate = octets(wanted) if isinstance(wanted, str) else None

    def bind(self, binding: Binding) -> bool:
        """Add a binding; false if an equal one is there already.

        Raises 406 for arguments the type refuses.
        """
        self.check(binding)
        identity = binding.identity()
        if identity in self.bindings:
            return False
        self.bindings[identity] = binding
        binding.destination.inbound[binding] = None
        self.added(binding)
        return True

    def has(self, binding: Binding) -> bool:
        """Whether there is a binding that equals `binding`."""
        return binding.identity() in self.bindings

    def unbind(self, binding: Binding) -> Binding | None:
        """Remove and return the binding that equals `binding`; None if there is none."""
        known = self.bindings.pop(binding.identity(), None)
        if known is not None:
            del known.destination.inbound[known]
            self.removed(known)
        return known

    def check_arguments(self) -> None:
        """Raise 406 if the type refuses the exchange's own arguments."""

    def check(self, binding: Binding) -> None:
        """Raise 406 if the type refuses the arguments of `binding`."""

    @abstractmethod
    def added(self, binding: Binding) -> None:
        """Take note of a new binding."""

    @abstractmethod
    def removed(self, binding: Binding) -> None:
        """Take note that a binding is gone."""

    @abstractmethod
    def match(self, routing_key: bytes, header: bytes, into: list[Destination]) -> None:
        """Append where a message goes; a destination may be appended more than once.

        `header` is the payload of the content header; it may be cut short if `by_key_alone` is true.
        """

    def published(self, message: Message) -> None:
        """Take note of a message that came by. Called only if `keeps` is true."""

    @property
    def memory_bytes(self) -> int:
        """About what is kept occupies in memory."""
        return 0

    def kept(self) -> list[Message]:
        """Return the messages for what is newly bound, in order."""
        return []


class Targets:
    """Destinations with the number of bindings that lead to each, in the order in which they came."""

    def __init__(self) -> None:
        # Most keys lead to one destination by one binding, which needs no table.
        self._only: Destination | None = None
        self._counts: dict[Destination, int] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is no destination."""
        return self._only is None and self._counts is None

    def add(self, destination: Destination) -> None:
        """Count one more binding to `destination`."""
        if self.is_empty:
            self._only = destination
            return
        if self._counts is None:
            assert self._only is not None
            self._counts = {self._only: 1}
            self._only = None
        self._counts[destination] = self._counts.get(destination, 0) + 1

    def remove(self, destination: Destination) -> None:
        """Count one binding less; the last one removes the destination."""
        if self._only is destination:
            self._only = None
            return
        assert self._counts is not None
        count = self._counts[destination] - 1
        if count == 0:
            del self._counts[destination]
            if not self._counts:
                self._counts = None
        else:
            self._counts[destination] = count

    def append_to(self, into: list[Destination]) -> None:
        """Append every destination."""
        if self._only is not None:
            into.append(self._only)
        elif self._counts is not None:
            for destination in self._counts:
                into.append(destination)
