"""A node on a simulated disk under a random load, crashed, recovered and judged again and again.

Everything is drawn from one seed: `simulation.run(123)` does what the test of that seed did.
"""

from __future__ import annotations

import re
from random import Random

from tests.fakes import FakeClock, FixedNames
from tests.storage.counts import definition_files, live_counts, spooled_bytes
from tests.storage.load import Load
from tests.storage.oracle import Found, Ledger, look
from tests.storage.plans import drawn_plans, plain_plans
from tests.storage.simulated_disk import PowerLoss, SimulatedDisk
from tests.storage.spoken import Messages
from tests.storage.stepped import SimulatedMarks, SteppedWorker
from tests.storage.trouble import Trouble
from tests.storage.verdict import Verdict

from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost
from supersoniq.storage.commit import SYNC_ALWAYS, SYNC_INTERVAL, SYNC_NEVER
from supersoniq.storage.records import DEFINITION_BYTES
from supersoniq.storage.recovery import NewVHost, Recovery, Report
from supersoniq.storage.store import DiskStore, StoreOptions

ROUNDS_MAX = 2_000
QUIET_TICKS = 4
# Whether some queues have priorities.
WITH_PRIORITIES = True
# What the journal and the segments may take beside twice what lives; two of it are what a power loss or a
# broken disk may leave behind: a spare file that was not shortened, another one that is in use again, a part
# that was begun.
FILES_MAX = 6
SPACE = re.compile("(journal|segments|spool)/[^.]*")


class NoVHost(NewVHost):
    """There is one virtual host, and never another."""

    def make(self, name: str) -> VHost:
        raise AssertionError(f"nobody ever made the virtual host {name!r}")


class Node:
    """A store with a virtual host on a disk, recovered; time stands still without a clock."""

    def __init__(
        self,
        disk: SimulatedDisk,
        marks: SimulatedMarks,
        options: StoreOptions,
        clock: FakeClock | None = None,
    ) -> None:
        self.disk = disk
        self.marks = marks
        self.options = options
        self.turn = Turn(clock)
        self.committer = SteppedWorker()
        self.background = SteppedWorker()
        self.store = DiskStore(disk, self.turn, self.committer, self.background, marks, options)
        self.vhost = VHost("/", self.turn, self.store, FixedNames())
        self.report = Recovery(disk, self.store, {"/": self.vhost}).run(NoVHost())

    @property
    def sequence(self) -> int:
        """The sequence of what is noted now."""
        return int(self.store.journal.number)

    def probe(self, messages: Messages) -> Found:
        """What another node recovers from a copy of the disk."""
        other = Node(self.disk.copy(), self.marks.copy(), self.options)
        return look(other.vhost, messages)

    def settle_down(self) -> None:
        """Do all that is to be done, background work included."""
        self.disk.is_copied = False
        for _ in range(ROUNDS_MAX):
            self.store.tick()
            self.store.sync()
            while self.turn.finish():
                pass
            self.committer.step()
            self.background.step()
            self.store.look()
            if self.committer.is_idle and self.background.is_idle and self.store.backlog_bytes() == 0:
                return
        raise AssertionError(f"still busy after {ROUNDS_MAX} rounds: {self.store.trouble()}")


def drawn_options(random: Random) -> StoreOptions:
    """Small files, so that they are used again and again."""
    return StoreOptions(
        journal_file_bytes=random.choice([2_000, 8_000, 32_000, 128_000]),
        segment_bytes=random.choice([4_000, 20_000, 300_000]),
        queue_memory_bytes=random.choice([1, 5_000, 50_000, 1_000_000]),
        sync=random.choice([SYNC_ALWAYS] * 6 + [SYNC_INTERVAL] * 3 + [SYNC_NEVER]),
    )


def drawn_sizes(random: Random) -> list[int]:
    """Bodies that fill a page: few large ones do, or small ones with a large one now and then."""
    return random.choice([[0, 30, 300], [30, 2_000, 10_000], [300, 200_000], [30] * 15 + [400_000]])


class Simulation:
    """One disk, and the nodes that live on it one after the other; without rules all queues are plain."""

    def __init__(self, seed: int, with_rules: bool = False) -> None:
        self.random = Random(seed)
        self.options = drawn_options(self.random)
        self.sizes = drawn_sizes(self.random)
        self.troubles = self.random.choice([0, 0, 0.02, 0.1])  # how many of the steps bring one
        self.plans = drawn_plans(self.random, WITH_PRIORITIES) if with_rules else plain_plans()
        self.now_ms = 1_000_000
        self.disk = SimulatedDisk(Random(seed))
        self.marks = SimulatedMarks()
        self.messages = Messages()
        self.ledger = Ledger()
        self.crashes = 0
        self._judge(was_killed=True)
        self._start()

    @property
    def _is_kill_only(self) -> bool:
        """Whether nothing is promised for a power loss."""
        return self.options.sync == SYNC_NEVER

    def _start(self) -> None:
        """Recover; what was judged must be there."""
        self.clock = FakeClock(self.now_ms)
        self.node = Node(self.disk, self.marks, self.options, self.clock)
        self._check_report(self.node.report)
        verdict = self._verdict
        self.ledger.begin_again(self.node.sequence, verdict.picture, verdict.returns)
        self.load = Load(
            self.random,
            self.node.vhost,
            self.node.store,
            self.node.turn,
            self.clock,
            self.ledger,
            self.messages,
            self.sizes,
            self.plans,
        )
        self.load.adopt(verdict.picture, verdict.found)
        self.trouble = Trouble(self.random, self.disk)

    def live(self) -> None:
        """Let a node work until it crashes or is stopped."""
        random = self.random
        ending = random.choice(["crash", "crash", "crash", "kill", "kill", "stop"])
        steps = random.choice([20, 100, 400])
        drops_much = ending != "stop" and random.random() < 0.25
        if ending != "stop" and not drops_much and random.random() < 0.9:
            self.disk.power_until = self.disk.operations + random.randint(1, random.choice([10, 60, 300]))
            self.disk.is_torn = random.random() < 0.5
        try:
            for _ in range(steps):
                self._step()
            if ending == "stop":
                self._stop()
                return
            if drops_much:
                self._drop_much()
        except PowerLoss:
            self.now_ms = self.clock.now
        self._crash(ending == "kill" or self._is_kill_only)

    def _drop_much(self) -> None:
        """Lose power while the journal hears of much that was dropped, and of where that is now."""
        self.trouble.end()
        self.node.settle_down()
        self.load.catch_up()
        self.load.drop_much()
        self.disk.power_until = self.disk.operations + self.random.choice([1, 1, 2, 3])
        self.disk.is_torn = self.random.random() < 0.7
        self.load.end_turn()
        self.node.committer.step()

    def _step(self) -> None:
        random, node = self.random, self.node
        if random.random() < self.troubles:
            self.trouble.begin()
        for _ in range(random.choice([1, 3, 10])):
            self.load.step()
        choice = random.randrange(8)
        if choice < 3:
            node.committer.step()
        elif choice < 5:
            node.background.step()
        elif choice == 5:
            self.disk.is_copied = random.random() < 0.2
        elif choice == 6:
            node.store.tick()
            if random.random() < 0.5:
                node.store.sync()
        elif not self.trouble.is_on or random.random() < 0.3:
            self.trouble.end()
            node.settle_down()
            self.load.catch_up()
            assert not node.store.trouble()
            if random.random() < 0.3:
                self._check_space()
        node.store.look()
        self._heed()

    def _heed(self) -> None:
        """Take note of the time, and of what is safe whatever happens.

        With `never` that is what the last process left.
        """
        self.now_ms = self.clock.now
        if not self._is_kill_only:
            self.ledger.durable(int(self.node.store.journal.final))

    def _check_space(self) -> None:
        """With nothing else going on for a while, the files are not much larger than what lives."""
        quiet, used = 0, self._used_bytes()
        while quiet < QUIET_TICKS:
            self.node.settle_down()
            self.load.catch_up()
            quiet = quiet + 1 if self._used_bytes() >= used else 0
            used = min(used, self._used_bytes())
        store = self.node.store
        counts = live_counts(store, self.node.vhost, self.node.background)
        counted = {number: int(file.live) for number, file in store.journal.files.items() if file.live}
        assert counted == counts, f"{counted} counted, {counts} found"
        live = self.load.live_bytes() + spooled_bytes(store)
        live += sum([len(setting.value) for setting in store.settings()])
        live += DEFINITION_BYTES * len(definition_files(store, self.node.vhost))
        # A batch of this load is not larger than a few messages that are.
        file_bytes = max(self.options.journal_file_bytes, self.options.segment_bytes, 2 * max(self.sizes))
        # The file in use may be one that was not shortened, and as long as some batch of that time.
        length = sum([len(self.disk.files().get(part, b"")) for part in store.journal.file.parts])
        used -= max(0, length - max(int(store.journal.file.size), file_bytes))
        assert used <= 2 * live + FILES_MAX * file_bytes, f"{used} used, {live} live, {file_bytes} a file"

    def _used_bytes(self) -> int:
        """Return the size of journal, segments and spool, without what was written twice."""
        return sum([len(data) for path, data in self.disk.files().items() if SPACE.fullmatch(path)])

    def _stop(self) -> None:
        """Stop the node in an orderly way; everything is safe then."""
        if self.random.random() < 0.7:
            self.trouble.end()
        is_well = not self.trouble.is_on
        self.node.turn.finish()
        self.node.store.stop()
        self._heed()
        if is_well:
            assert self.node.store.durable() == self.node.sequence - 1
            self._check_safe()
        self._end_process()
        self._judge(was_killed=True)
        self._start()
        assert self.node.report.was_stopped or not is_well

    def _check_safe(self) -> None:
        """A node that has stopped has synced all it needs, if it ever does."""
        if self._is_kill_only:
            return
        store = self.node.store
        # What a broken segment or a page that was not written has is in the journal as well, and another part
        # of a journal file has all of the part before it that could not be synced.
        failed = {write.segment.path for write in store.shared.unwritten.failed}
        needed = {file.parts[-1] for file in store.journal.files.values()}
        for kept in store.shared.paged:
            segments = kept.segments.values() if kept.durable else []
            needed.update([segment.path for segment in segments if not segment.is_broken])
        unsynced = [path for path in self.disk.unsynced() if path in needed - failed]
        assert not unsynced, f"{unsynced} are not safe after an orderly stop"

    def _end_process(self) -> None:
        """The process is gone, and what the system has is still there."""
        self.ledger.durable(int(self.node.store.durable()))
        self.disk, self.marks = self.disk.kill(), self.marks.kill()

    def _crash(self, was_killed: bool) -> None:
        """Crash the node, recover, perhaps crash while that is going on, and judge what is there."""
        random = self.random
        self.now_ms += random.choice([0, 0, 10, 1_000, 100_000])
        if was_killed:
            self.ledger.durable(int(self.node.store.durable()))
        while True:
            self.crashes += 1
            self.ledger.forget()
            if was_killed:
                self.disk, self.marks = self.disk.kill(), self.marks.kill()
            else:
                self.disk, self.marks = self.disk.crash(random), self.marks.crash(random)
            self._judge(was_killed)
            if not was_killed:
                self.ledger.begin_again(0, self._verdict.picture, self._verdict.returns)
            if random.random() < 0.2:
                self.disk.power_until = random.randint(1, 20)
                self.disk.is_torn = random.random() < 0.5
            if random.random() < self.troubles:
                Trouble(random, self.disk).begin()
            try:
                self._start()
            except PowerLoss:
                # What only a kill left alone is not safe before the next start has gone well.
                is_weak = was_killed and self.options.sync != SYNC_ALWAYS
                was_killed = is_weak or random.random() < 0.4
                continue
            except OSError:
                was_killed = True
                continue
            self.trouble.end()
            assert self.node.probe(self.messages) == self._verdict.found
            return

    def _check_report(self, report: Report) -> None:
        """No crash looks like damage, unless segments are all that the first moments of a node have left."""
        is_new = not (self.ledger.safe.queues or self.ledger.safe.exchanges or self.ledger.safe.settings)
        told = [each for each in report.damages if not is_new or "missing or empty" not in each]
        assert not told, told

    def _judge(self, was_killed: bool) -> None:
        """Recover on a copy of the disk, and judge what is there."""
        node = Node(self.disk.copy(), self.marks.copy(), self.options)
        self._check_report(node.report)
        found = look(node.vhost, self.messages)
        self._verdict = Verdict(self.ledger, found, was_killed, self.plans, self.now_ms)
        self._verdict.judge()


def run(seed: int, lives: int = 5) -> int:
    """Live and crash so many times; returns the number of crashes."""
    simulation = Simulation(seed, with_rules=True)
    for _ in range(lives):
        simulation.live()
    return simulation.crashes
