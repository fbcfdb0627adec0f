"""Policies: what is wanted of all queues and exchanges whose names match a pattern.

One policy counts for each of them, the one with the highest priority, and beside it one operator policy.
"""

from typing import Final, final

from supersoniq.amqp.primitives import text
from supersoniq.patterns import Pattern

# What the words of `apply-to` mean for queues of each type.
QUEUE_WORDS: Final = {
    b"classic": ("all", "queues", "classic_queues"),
    b"quorum": ("all", "queues", "quorum_queues"),
    b"stream": ("all", "queues", "streams"),
}
EXCHANGE_WORDS: Final = ("all", "exchanges")

# Where both kinds of policy have a limit, the smaller one counts; of all else the operator's.
LIMITS: Final = frozenset(
    [
        "consumer-timeout",
        "delivery-limit",
        "expires",
        "max-in-memory-bytes",
        "max-in-memory-length",
        "max-length",
        "max-length-bytes",
        "message-ttl",
    ]
)


@final
class Policy:
    """One policy; `policy_settings` makes them, checked."""

    def __init__(
        self,
        name: str,
        pattern: str,
        apply_to: str,
        priority: int,
        definition: dict[str, object],
        is_operator: bool,
    ) -> None:
        self.name = name
        self.pattern = pattern
        self.apply_to = apply_to
        self.priority = priority
        self.definition = definition
        self.is_operator = is_operator
        self._pattern = Pattern(pattern)

    def concerns_queue(self, name: bytes, queue_type: bytes) -> bool:
        """Whether it is for a queue of this name and type."""
        return self.apply_to in QUEUE_WORDS[queue_type] and self._matches(name)

    def concerns_exchange(self, name: bytes) -> bool:
        """Whether it is for an exchange of this name."""
        return self.apply_to in EXCHANGE_WORDS and self._matches(name)

    def _matches(self, name: bytes) -> bool:
        # As in RabbitMQ a pattern matches anywhere, unless it says where.
        return self._pattern.found_in(text(name))


@final
class PolicySet:
    """The policies of one kind in one virtual host, by name."""

    def __init__(self) -> None:
        self.by_name: dict[str, Policy] = {}
        self._ranked: list[Policy] = []

    def put(self, policies: list[Policy]) -> None:
        """Add policies, each in place of the one that has its name."""
        for policy in policies:
            self.by_name[policy.name] = policy
        self._rank()

    def remove(self, name: str) -> bool:
        """Remove a policy; false if there is none."""
        if self.by_name.pop(name, None) is None:
            return False
        self._rank()
        return True

    def _rank(self) -> None:
        self._ranked = sorted(self.by_name.values(), key=_rank_of)

    def of_queue(self, name: bytes, queue_type: bytes) -> Policy | None:
        """Return the policy that counts for a queue."""
        for policy in self._ranked:
            if policy.concerns_queue(name, queue_type):
                return policy
        return None

    def of_exchange(self, name: bytes) -> Policy | None:
        """Return the policy that counts for an exchange."""
        for policy in self._ranked:
            if policy.concerns_exchange(name):
                return policy
        return None


def _rank_of(policy: Policy) -> tuple[int, str]:
    return (-policy.priority, policy.name)


def merged(policy: Policy | None, operator_policy: Policy | None) -> dict[str, object]:
    """Return what a policy and an operator policy want together."""
    definition: dict[str, object] = {} if policy is None else dict(policy.definition)
    if operator_policy is not None:
        for key, value in operator_policy.definition.items():
            wanted = definition.get(key)
            if key in LIMITS and isinstance(wanted, int) and isinstance(value, int):
                definition[key] = smaller(wanted, value)
            else:
                definition[key] = value
    return definition


def smaller(one: int, other: int) -> int:
    """Return the smaller limit; a negative one is none."""
    if one < 0 or 0 <= other < one:
        return other
    return one
