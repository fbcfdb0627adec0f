"""A queue of a node with a disk, compared with a naive one while the node restarts now and then."""

from collections.abc import Callable

from tests.broker.queues.comparison import Comparison, number_of
from tests.storage.small_node import KIB, SmallNode

from supersoniq.amqp.tables import table_of
from supersoniq.broker.message import Entry, Message
from supersoniq.broker.ports import Holder, QueueStore
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.turn import Turn
from supersoniq.storage.store import StoreOptions

ALL = 1_000_000


class _Held(Holder):
    """All that the queue has given out, for the store."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison

    def held(self) -> list[tuple[QueueStore, Entry]]:
        entries = [*self._comparison.held(), *self._comparison.graveyard.taken()]
        return [(self._comparison.queue.kept, entry) for entry in entries]


class RestartingComparison(Comparison):
    """The real queue is in a node with small files and hardly any memory."""

    def open(self) -> tuple[Turn, Queue]:
        random = self.random
        options = StoreOptions(
            journal_file_bytes=random.choice([4, 64, 1024]) * KIB,
            segment_bytes=random.choice([4, 600]) * KIB,
            queue_memory_bytes=random.choice([1, 1, 20_000, 600_000]),
        )
        self.node = SmallNode(options=options, clock=self.clock)
        self.node.vhost.holders[_Held(self)] = None
        rules = self.rules
        if rules.delivery_limit is not None:
            rules.max_priority = 0  # no queue may have both
        arguments = table_of(rules.arguments())
        if rules.delivery_limit is not None:
            arguments |= table_of({"x-queue-type": "quorum"})
        return self.node.turn, self.node.queue(arguments=arguments)

    def is_persistent(self) -> bool:
        return self.random.random() < 0.8

    def put(self, message: Message, expiration_ms: int) -> None:
        queue, vhost = self.queue, self.node.vhost
        if queue.rules.is_plain and expiration_ms < 0:
            vhost.publish(message, [queue])
        else:
            vhost.publish_by_rules(message, [queue], expiration_ms)

    def more_steps(self) -> list[Callable[[], None]]:
        return [self.node_works] * 4 + [self.restart] * 2 + [self.flood]

    def flood(self) -> None:
        """Publish many."""
        for _ in range(8):
            self.publish()

    def node_works(self) -> None:
        """Have the store do what it has to do, or some of it."""
        choice = self.random.randrange(4)
        if choice == 0:
            self.node.commit()
        elif choice == 1:
            self.node.rest()
        elif choice == 2:
            self.node.tick(2)
        else:
            self.node.background.step()
            self.node.store.look()

    def restart(self) -> None:
        """Stop in an orderly way and start again; clients may have gone before, or not."""
        if self.random.random() < 0.5:
            while self.consumers:
                self.leave()
            for entry in reversed(self.fetched):
                self.back(entry)
            self.end_step()
        self.consumers.clear()
        self.fetched.clear()
        self.clock.wanted = 0
        self.node = self.node.stopped()
        self.clock.now += self.random.choice([0, 0, 10])
        self.turn, self.queue = self.node.turn, self.node.vhost.queues[b"q"]
        self.queue.graveyard = self.graveyard
        self.node.vhost.holders[_Held(self)] = None
        self.naive.restart()
        self.compare_all()
        # What came back may be beyond the limits. They are looked at when a policy is set, too.
        self.queue.apply(self.queue.rules)
        self.naive.shorten()

    def compare_all(self) -> None:
        """Compare everything that is ready; what nobody has seen may say that it was, if that is allowed."""
        found = {number_of(entry.message): entry for entry in self.queue.browse(0, ALL)}
        items = self.naive.ready
        assert list(found) == [item.number for item in items], self.where
        for item in items:
            entry = found[item.number]
            if self.rules.max_priority and item.count == 0 and entry.delivery_count == 1:
                # It came before one of a higher priority that was delivered: only the latest is known.
                item.count = 1
            theirs = (int(entry.delivery_count), int(entry.expires_at), len(entry.message.body))
            assert theirs == (item.count, item.expires_at or 0, item.size), self.where
