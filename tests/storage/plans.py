"""What the queues of the simulation are declared with, drawn from its seed."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from supersoniq.amqp.tables import Table, table_of

QUEUES = {b"d1": True, b"d2": True, b"d3": True, b"d4": True, b"t1": False, b"t2": False}
AUTO_DELETED = b"d4"
DROP_HEAD, REJECT, REJECT_DLX = "drop-head", "reject-publish", "reject-publish-dlx"


class Plan(NamedTuple):
    """The arguments of one queue; None and 0 where nothing is said."""

    durable: bool
    auto_delete: bool = False
    ttl: int | None = None
    max_length: int | None = None
    max_length_bytes: int | None = None
    overflow: str = DROP_HEAD
    max_priority: int = 0
    delivery_limit: int | None = None
    dead_letter_exchange: bytes | None = None
    dead_letter_key: bytes | None = None

    @property
    def has_dead_letters(self) -> bool:
        """Whether what it drops goes to an exchange."""
        return self.dead_letter_exchange is not None

    def overflows(self, count: int, size: int) -> bool:
        """Whether so much is beyond the limits."""
        return (self.max_length is not None and count > self.max_length) or (
            self.max_length_bytes is not None and size > self.max_length_bytes
        )

    def arguments(self) -> Table:
        """As they stand in a declaration."""
        is_limited = self.max_length is not None or self.max_length_bytes is not None
        given: dict[str, object] = {
            "x-message-ttl": self.ttl,
            "x-max-length": self.max_length,
            "x-max-length-bytes": self.max_length_bytes,
            "x-overflow": self.overflow if is_limited else None,
            "x-max-priority": self.max_priority or None,
            "x-queue-type": None if self.delivery_limit is None else "quorum",
            "x-delivery-limit": self.delivery_limit,
            "x-dead-letter-exchange": _text(self.dead_letter_exchange),
            "x-dead-letter-routing-key": _text(self.dead_letter_key),
        }
        return table_of({name: value for name, value in given.items() if value is not None})


def _text(name: bytes | None) -> str | None:
    return None if name is None else name.decode()


def plain_plans() -> dict[bytes, Plan]:
    """Queues without rules."""
    return {name: Plan(durable, name == AUTO_DELETED) for name, durable in QUEUES.items()}


def drawn_plans(random: Random, with_priorities: bool) -> dict[bytes, Plan]:
    """Queues of which some have rules; in a third of all cases none has."""
    plans = plain_plans()
    if random.random() < 0.33:
        return plans
    for name, plan in plans.items():
        if random.random() < 0.7:
            plans[name] = _drawn(random, plan, with_priorities)
    return plans


def _drawn(random: Random, plain: Plan, with_priorities: bool) -> Plan:
    plan = plain
    if random.random() < 0.35:
        plan = plan._replace(ttl=random.choice([0, 20, 500, 500, 20_000]))
    if random.random() < 0.4:
        overflow = random.choice([DROP_HEAD, DROP_HEAD, DROP_HEAD, REJECT, REJECT_DLX])
        plan = plan._replace(max_length=random.choice([0, 1, 5, 30, 100]), overflow=overflow)
        if random.random() < 0.3:
            plan = plan._replace(max_length_bytes=random.choice([10, 1_000, 100_000]))
    if random.random() < 0.8:
        # As a rule straight to another queue, else by what happens to be bound.
        exchange = random.choice([*[b""] * 6, b"fan", b"top", b"pass"])
        durable = [name for name in QUEUES if QUEUES[name]]
        key = random.choice([*durable, *QUEUES]) if not exchange else random.choice([None, b"a"])
        plan = plan._replace(dead_letter_exchange=exchange, dead_letter_key=key)
    if plan.durable and not plan.auto_delete and random.random() < 0.3:
        plan = plan._replace(delivery_limit=random.choice([0, 1, 2, 5]))
    elif with_priorities and random.random() < 0.35:
        plan = plan._replace(max_priority=random.choice([1, 3, 10]))
    return plan
