"""Enforcement: the queues and exchanges of a virtual host go by its policies, as both come and go."""

from typing import final

from supersoniq.broker.arguments import QueueOptions
from supersoniq.broker.disuse import Disuses
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.policies import Policy, PolicySet
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.queues.rules import rules_under
from supersoniq.broker.routing import Router


@final
class Policies:
    """The policies of one virtual host, whose exchanges and queues it shares.

    Queues whose names begin with one of `exempt` are nobody's business.
    """

    def __init__(
        self,
        exchanges: dict[bytes, Exchange],
        queues: dict[bytes, Queue],
        router: Router,
        disuses: Disuses,
        exempt: bytes | tuple[bytes, ...],
    ) -> None:
        self.user = PolicySet()
        self.operator = PolicySet()
        self._exchanges = exchanges
        self._queues = queues
        self._router = router
        self._disuses = disuses
        self._exempt = exempt

    def put(self, policies: list[Policy]) -> None:
        """Add policies of both kinds, each in place of the one that has its name."""
        self.user.put([policy for policy in policies if not policy.is_operator])
        self.operator.put([policy for policy in policies if policy.is_operator])
        self._enforce()

    def remove(self, name: str, is_operator: bool) -> bool:
        """Remove a policy; false if there is none."""
        found = self.operator.remove(name) if is_operator else self.user.remove(name)
        if found:
            self._enforce()
        return found

    def _enforce(self) -> None:
        for exchange in self._exchanges.values():
            self.govern_exchange(exchange)
        for queue in self._queues.values():
            if not queue.name.startswith(self._exempt):
                self.govern_queue(queue)
        self._router.changed()

    def govern_queue(self, queue: Queue) -> None:
        """Have a queue go by the policies that count for it now; the router is not told."""
        policy = self.user.of_queue(queue.name, queue.options.queue_type)
        operator_policy = self.operator.of_queue(queue.name, queue.options.queue_type)
        if policy is queue.policy and operator_policy is queue.operator_policy:
            return
        queue.policy = policy
        queue.operator_policy = operator_policy
        expired_after_ms = queue.rules.expires_ms
        queue.apply(
            rules_under(queue.options.arguments, queue.options.queue_type, queue.effective_definition())
        )
        if queue.rules.expires_ms != expired_after_ms:
            self._disuses.used(queue)

    def change_queue(self, queue: Queue, options: QueueOptions) -> None:
        """Have a queue go by other arguments, and by the policies that count for it then, at once."""
        queue.policy = self.user.of_queue(queue.name, options.queue_type)
        queue.operator_policy = self.operator.of_queue(queue.name, options.queue_type)
        rules = rules_under(options.arguments, options.queue_type, queue.effective_definition())
        queue.change(options, rules)

    def govern_exchange(self, exchange: Exchange) -> None:
        """Have an exchange go by the policies that count for it now; the router is not told."""
        policy = self.user.of_exchange(exchange.name)
        operator_policy = self.operator.of_exchange(exchange.name)
        if policy is not exchange.policy or operator_policy is not exchange.operator_policy:
            exchange.policy = policy
            exchange.operator_policy = operator_policy
            exchange.apply(exchange.effective_definition())
