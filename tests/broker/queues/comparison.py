"""A real queue and a naive one, under the same random steps."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.broker.queues.naive import NaiveQueue, NaiveRules
from tests.fakes import FakeClock, FakeConsumer, settle_down
from tests.session.script import header_payload

from supersoniq.amqp.tables import table_of
from supersoniq.broker.arguments import QueueOptions
from supersoniq.broker.message import Entry, Message, address_of
from supersoniq.broker.queues.backlog import CHUNK_BODY_BYTES
from supersoniq.broker.queues.graveyard import Graveyard
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.turn import Turn

STEPS = 80
# One of the large ones fills a chunk by itself, so that few messages are many pages.
BODIES = {size: bytes(size) for size in (0, 5, 40_000, CHUNK_BODY_BYTES + 1)}


def number_of(message: Message) -> int:
    """Messages are numbered by their routing keys."""
    return int(message.routing_key)


class NotingConsumer(FakeConsumer):
    """Tells what it is given to a log that all share."""

    def __init__(self, tag: bytes, room: int, no_ack: bool, priority: int, log: list[str]) -> None:
        super().__init__(tag, room, no_ack, priority)
        self._log = log

    def deliver(self, entry: Entry) -> None:
        super().deliver(entry)
        self._note(entry.message, entry.redelivered)

    def deliver_settled(self, message: Message, redelivered: bool) -> None:
        super().deliver_settled(message, redelivered)
        self._note(message, redelivered)

    def _note(self, message: Message, redelivered: bool) -> None:
        again = " again" if redelivered else ""
        self._log.append(f"deliver {self.tag.decode()} {number_of(message)}{again}")


class NotingGraveyard(Graveyard):
    """Tells what it is given, and buries it at the end of the step, as one that moves messages does."""

    def __init__(self, log: list[str]) -> None:
        self._log = log
        self._taken: list[tuple[Queue, Entry]] = []

    def take(self, queue: Queue, entry: Entry, reason: bytes) -> None:
        number = number_of(entry.message)
        if entry.position == 0:
            assert reason == b"maxlen"
            self._log.append(f"refuse {number}")
        else:
            self._log.append(f"drop {number} {reason.decode()}")
        self._taken.append((queue, entry))

    def taken(self) -> list[Entry]:
        """What is not buried, of what the queue had taken."""
        return [entry for _, entry in self._taken if entry.position > 0]

    def bury(self) -> None:
        for queue, entry in self._taken:
            queue.buried(entry)
        self._taken.clear()


@dataclass
class Shadow:
    """A consumer as the naive queue sees it; its room is counted for itself."""

    tag: bytes
    room: int
    priority: int
    no_ack: bool


def random_rules(random: Random) -> NaiveRules:
    def maybe(*values: int) -> int | None:
        return random.choice(values) if random.random() < 0.4 else None

    return NaiveRules(
        ttl=maybe(0, 5, 20, 60),
        max_length=maybe(0, 1, 5, 15),
        max_length_bytes=maybe(0, 10, 100_000, 5 * CHUNK_BODY_BYTES),
        overflow=random.choice(["drop-head", "drop-head", "reject-publish", "reject-publish-dlx"]),
        max_priority=maybe(1, 3, 10) or 0,
        delivery_limit=maybe(0, 1, 3),
        single_active=random.random() < 0.2,
        dead_letters=random.random() < 0.7,
    )


class Comparison:
    """Both queues, from the same seed; where the real one is kept is for others to say."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.rules = random_rules(self.random)
        self.clock = FakeClock()
        self.log: list[str] = []
        self.graveyard = NotingGraveyard(self.log)
        self.naive = NaiveQueue(self.rules, self.log)
        self.consumers: list[NotingConsumer] = []
        self.fetched: list[Entry] = []
        self.published = self.subscribed = 0
        self.story: list[str] = []
        self.turn, self.queue = self.open()
        self.queue.graveyard = self.graveyard

    def open(self) -> tuple[Turn, Queue]:
        """The queue, empty, and the turns it works in."""
        raise NotImplementedError

    def put(self, message: Message, expiration_ms: int) -> None:
        """Publish a message that expires so long from now, -1 for never."""
        raise NotImplementedError

    def is_persistent(self) -> bool:
        """Whether the next message is."""
        return True

    def more_steps(self) -> list[Callable[[], None]]:
        """What else may happen."""
        return []

    def compare_kept(self) -> None:
        """Compare what else can be."""

    @property
    def options(self) -> QueueOptions:
        """What the queue is declared with."""
        queue_type = b"classic" if self.rules.delivery_limit is None else b"quorum"
        return QueueOptions(table_of(self.rules.arguments()), queue_type)

    def run(self) -> None:
        steps = [self.publish] * 8 + [self.fetch, self.settle, self.settle_many, self.reject] * 2
        steps += [self.requeue, self.subscribe, self.make_room, self.leave, self.wait, self.sleep] * 2
        steps += [self.purge, *self.more_steps()]
        for _ in range(STEPS):
            step = self.random.choice(steps)
            self.story.append(step.__name__)
            step()
            self.end_step()
        self.story.append("drain")
        while self.queue.ready_count:
            self.fetch()
            self.end_step()

    def end_step(self) -> None:
        """Finish the turn, then what is due, and compare."""
        settle_down(self.turn)
        self.naive.dispatch(self.clock.now)
        self.clock.move(self.turn, 0)
        self.naive.expire(self.clock.now)
        self.graveyard.bury()
        self.compare()

    @property
    def where(self) -> str:
        """What failed, for whoever wants to know."""
        return f"{self.rules}, after {' '.join(self.story)}"

    def compare(self) -> None:
        where, naive, queue = self.where, self.naive, self.queue
        assert self.log == naive.events, where
        assert (queue.ready_count, queue.ready_body_bytes) == (len(naive.ready), naive.size), where
        held = sum([item.size for item in naive.held.values()])
        assert (queue.unacked_count, queue.unacked_body_bytes) == (len(naive.held), held), where
        assert sum([page.count for page in queue.pages()]) + len(queue.in_memory()) == len(naive.ready), where
        tags = {consumer.tag: consumer.room for consumer in self.consumers}
        assert tags == {shadow.tag: shadow.room for shadow in naive.consumers}, where
        self.compare_kept()

    def held(self) -> list[Entry]:
        entries = list(self.fetched)
        for consumer in self.consumers:
            entries.extend(consumer.entries)
        return entries

    def let_go(self) -> Entry | None:
        """Take any entry that somebody holds."""
        held = self.held()
        if not held:
            return None
        entry = self.random.choice(held)
        for place in [self.fetched, *[consumer.entries for consumer in self.consumers]]:
            if entry in place:
                place.remove(entry)
        return entry

    # Steps

    def publish(self) -> None:
        random = self.random
        for _ in range(random.choice([1, 1, 3, 8])):
            self.published += 1
            size, priority = random.choice(list(BODIES)), random.choice([0, 0, 1, 2, 5, 200])
            expiration = random.choice([None, None, None, 0, 3, 10, 40, 100])
            header = header_payload(size, {"priority": priority} if priority else None)
            persistent = self.is_persistent()
            message = Message(address_of(b"", b"%d" % self.published), header, BODIES[size], persistent)
            self.put(message, -1 if expiration is None else expiration)
            self.naive.publish(self.published, size, priority, expiration, self.clock.now, persistent)

    def fetch(self) -> None:
        no_ack = self.random.random() < 0.4
        entry = self.queue.take(no_ack)
        if entry is not None:
            again = " again" if entry.redelivered else ""
            self.log.append(f"deliver get {number_of(entry.message)}{again}")
            if not no_ack:
                self.fetched.append(entry)
        self.naive.fetch(no_ack, self.clock.now)

    def settle(self) -> None:
        entry = self.let_go()
        if entry is not None:
            self.queue.settle(entry)
            self.naive.settle(number_of(entry.message))

    def settle_many(self) -> None:
        for _ in range(self.random.randrange(6)):
            self.settle()

    def reject(self) -> None:
        entry = self.let_go()
        if entry is not None:
            self.queue.reject(entry)
            self.naive.reject(number_of(entry.message))

    def requeue(self) -> None:
        for _ in range(self.random.choice([1, 1, 4])):
            entry = self.let_go()
            if entry is not None:
                self.back(entry)

    def back(self, entry: Entry) -> None:
        self.queue.requeue(entry)
        self.naive.requeue(number_of(entry.message))

    def subscribe(self) -> None:
        random = self.random
        if len(self.consumers) == 3:
            return
        self.subscribed += 1
        tag, room = b"c%d" % self.subscribed, random.choice([0, 1, 4])
        no_ack, priority = random.random() < 0.3, random.choice([0, 0, 1])
        consumer = NotingConsumer(tag, room, no_ack, priority, self.log)
        self.consumers.append(consumer)
        self.naive.consumers.append(Shadow(tag, room, priority, no_ack))
        self.queue.subscribe(consumer)

    def make_room(self) -> None:
        if self.consumers:
            index, room = self.random.randrange(len(self.consumers)), self.random.choice([1, 3])
            self.consumers[index].room += room
            self.naive.consumers[index].room += room
            self.queue.unpark(self.consumers[index])

    def leave(self) -> None:
        if self.consumers:
            index = self.random.randrange(len(self.consumers))
            consumer = self.consumers.pop(index)
            del self.naive.consumers[index]
            self.queue.unsubscribe(consumer)
            if self.random.random() < 0.5:
                for entry in reversed(consumer.entries):
                    self.back(entry)
            else:
                self.fetched.extend(consumer.entries)

    def wait(self) -> None:
        """Time goes by, and what is due is done in time."""
        milliseconds = self.random.choice([1, 5, 20, 50])
        self.clock.move(self.turn, milliseconds)
        self.naive.expire(self.clock.now)

    def sleep(self) -> None:
        """Time goes by while the node is busy: messages are late when something else happens to them."""
        self.clock.now += self.random.choice([1, 5, 20, 50])
        for _ in range(self.random.randrange(3)):
            step = self.random.choice([self.publish, self.fetch, self.requeue, self.make_room, self.purge])
            self.story.append(step.__name__)
            step()

    def purge(self) -> None:
        if self.random.random() < 0.3:
            assert self.queue.purge() == self.naive.purge()
