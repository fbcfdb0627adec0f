"""The total-queue checker: what was published, confirmed, delivered and acked, and what contradicts that.

Clients of a load tell it everything; `violations` has a line for each promise that the broker broke. An epoch
is the time between two kills.

    persistent, confirmed, not acked   must come
    never confirmed, or acked          may come: the kill may have been faster
    rolled back, purged, transient     must not come after the rollback-ok, the purge-ok, the kill
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

OPEN, COMMITTING, COMMITTED, ROLLED_BACK = "open", "committing", "committed", "rolled back"
# The epoch of an ack that may not have arrived.
IN_DOUBT = -1
# A delivery: the queue and the number of the message.
Delivery = tuple[str, int]


@dataclass(eq=False)
class Transaction:
    """The messages of one tx.commit."""

    epoch: int
    state: str = OPEN
    publications: list["Publication"] = field(default_factory=list)


@dataclass(eq=False)
class Publication:
    """One message and the queues that it is routed to. `source` is who published it, over all epochs."""

    number: int
    source: str
    queues: tuple[str, ...]
    body: bytes
    persistent: bool
    epoch: int
    transaction: Transaction | None = None
    is_confirmed: bool = False
    is_returned: bool = False
    is_wiped: bool = False

    def __str__(self) -> str:
        return f"message {self.number} of {self.source}, epoch {self.epoch}, for {'+'.join(self.queues)}"


class Ledger:
    """The books of one load on one data directory."""

    def __init__(self) -> None:
        self.epoch = 0
        self.violations: list[str] = []
        self.counts: Counter[str] = Counter()
        self._publications: list[Publication] = []
        self._transactions: list[Transaction] = []
        self._seen: dict[Delivery, set[int]] = defaultdict(set)
        self._acked: dict[Delivery, int] = {}
        self._consumed: set[str] = set()
        # The last first delivery from a source: to a consumer now, to anybody before the last kill, and to
        # the one who drains.
        self._last: dict[tuple[str, str, str], int] = {}
        self._floor: dict[tuple[str, str], int] = {}
        self._drained: dict[tuple[str, str], int] = {}

    def violated(self, what: str) -> None:
        """Note what should not have happened."""
        self.violations.append(f"epoch {self.epoch}: {what}")

    # --- publishers ------------------------------------------------------------------------------

    def published(
        self,
        source: str,
        queues: tuple[str, ...],
        body_bytes: int = 0,
        persistent: bool = True,
        transaction: Transaction | None = None,
    ) -> Publication:
        """Note a message that is about to be sent; its body says who it is."""
        number = len(self._publications)
        label = b"%d " % number
        body = label + bytes((number + at) & 0xFF for at in range(min(body_bytes, 251)))
        body += body[len(label) :] * (body_bytes // 251)
        publication = Publication(number, source, queues, body, persistent, self.epoch, transaction)
        self._publications.append(publication)
        self.counts["published"] += 1
        if transaction is not None:
            transaction.publications.append(publication)
        return publication

    def returned(self, body: bytes) -> None:
        """Note a basic.return."""
        publication = self._by(body)
        if publication is None or publication.queues:
            self.violated(f"{publication or body[:20]!r} was returned")
        else:
            publication.is_returned = True

    def confirmed(self, publication: Publication) -> None:
        """Note that the broker took the responsibility."""
        publication.is_confirmed = True
        self.counts["confirmed"] += 1
        if not publication.queues and not publication.is_returned:
            self.violated(f"{publication}: confirmed before it was returned")

    def transaction(self) -> Transaction:
        """Begin one."""
        self._transactions.append(Transaction(self.epoch))
        return self._transactions[-1]

    def wiping(self, publications: list[Publication]) -> None:
        """Note that a purge or delete of their queue is about to be sent: they may be gone from now on."""
        for publication in publications:
            publication.is_confirmed = False

    def wiped(self, publications: list[Publication]) -> None:
        """Note its answer: they must be gone."""
        self.counts["wiped"] += 1
        for publication in publications:
            publication.is_wiped = True

    # --- consumers -------------------------------------------------------------------------------

    def consuming(self, queue: str) -> None:
        """Note that messages of the queue may be delivered to somebody who does not see them."""
        self._consumed.add(queue)

    def delivered(self, queue: str, consumer: str, body: bytes, redelivered: bool) -> Publication | None:
        """Note a delivery; None if it is of a message that nobody published."""
        publication = self._by(body)
        if publication is None:
            self.violated(f"{queue}: delivery of {body[:20]!r}…, which was not published")
            return None
        self._check_right_to_come(queue, publication)
        self._check_flag(queue, publication, redelivered)
        if not redelivered:
            self._check_order(queue, consumer, publication)
        self._seen[(queue, publication.number)].add(self.epoch)
        self.counts["redelivered" if redelivered else "delivered"] += 1
        return publication

    def drained(self, queue: str, body: bytes, redelivered: bool) -> None:
        """Note a delivery when all messages were ready: redelivered ones are in order, too."""
        publication = self.delivered(queue, "drain", body, redelivered)
        if publication is not None:
            key = (queue, publication.source)
            if self._drained.get(key, -1) >= publication.number:
                self.violated(f"{queue}: {publication} was drained after {self._drained[key]}")
            self._drained[key] = publication.number
            self.acked(queue, publication)

    def acked(self, queue: str, publication: Publication) -> None:
        """Note that an ack is sent."""
        self._acked[(queue, publication.number)] = self.epoch
        self.counts["acked"] += 1

    def doubted(self, queue: str, publication: Publication) -> None:
        """Note that the ack may have got lost with its connection: the message may come again, or not."""
        self._acked[(queue, publication.number)] = IN_DOUBT

    def _by(self, body: bytes) -> Publication | None:
        digits = body.partition(b" ")[0]
        number = int(digits) if digits.isdigit() else -1
        if not 0 <= number < len(self._publications) or self._publications[number].body != body:
            return None
        return self._publications[number]

    def _check_right_to_come(self, queue: str, publication: Publication) -> None:
        transaction = publication.transaction
        if queue not in publication.queues:
            self.violated(f"{queue}: {publication} was delivered")
        elif publication.is_wiped:
            self.violated(f"{queue}: {publication} was delivered after its queue was purged or deleted")
        elif not publication.persistent and publication.epoch < self.epoch:
            self.violated(f"{queue}: {publication} is transient and outlived a kill")
        elif transaction is not None and transaction.state in (OPEN, ROLLED_BACK):
            self.violated(f"{queue}: {publication} was delivered, its transaction is {transaction.state}")

    def _check_flag(self, queue: str, publication: Publication, redelivered: bool) -> None:
        delivery = (queue, publication.number)
        if self._acked.get(delivery) == self.epoch:
            self.violated(f"{queue}: {publication} was delivered again after its ack")
        if delivery in self._seen and not redelivered:
            self.violated(f"{queue}: {publication} came again without redelivered")
        if redelivered and queue not in self._consumed:
            self.violated(f"{queue}: {publication} is redelivered, nobody had consumed before")

    def _check_order(self, queue: str, consumer: str, publication: Publication) -> None:
        key = (queue, consumer, publication.source)
        before = max(self._last.get(key, -1), self._floor.get((queue, publication.source), -1))
        if before >= publication.number:
            self.violated(f"{queue}: {publication} was delivered after {before}")
        self._last[key] = publication.number

    # --- the broker's end ------------------------------------------------------------------------

    def killed(self) -> None:
        """Begin the next epoch."""
        self.epoch += 1
        self.counts["kills"] += 1
        for (queue, _, source), number in self._last.items():
            key = (queue, source)
            self._floor[key] = max(self._floor.get(key, -1), number)
        self._last.clear()

    def close(self) -> None:
        """Look for what did not come, after every queue was drained in an epoch of its own."""
        for publication in self._publications:
            transaction = publication.transaction
            is_promised = publication.persistent and publication.is_confirmed
            if is_promised or (transaction is not None and transaction.state == COMMITTED):
                for queue in publication.queues:
                    if (queue, publication.number) not in self._acked:
                        self.violated(f"{queue}: {publication} was confirmed and is lost")
        for transaction in self._transactions:
            self._check_whole(transaction)

    def _check_whole(self, transaction: Transaction) -> None:
        """Of a commit without an answer everything survives or nothing, except what was acked before it.

        As in RabbitMQ, consumers may see messages before the disk has them.
        """
        if transaction.state != COMMITTING:
            return
        self.counts["commits in doubt"] += 1
        deliveries = [(queue, each.number) for each in transaction.publications for queue in each.queues]
        survived = {each for each in deliveries if any(at > transaction.epoch for at in self._seen[each])}
        missing = [each for each in deliveries if each not in survived and each not in self._acked]
        if survived and missing:
            self.violated(f"of a transaction {sorted(survived)} survived, {missing} did not")
        self.counts["commits in doubt that survived"] += bool(survived)
