"""Workers and marks whose every step is the simulation's choice."""

from __future__ import annotations

import collections
from random import Random

from supersoniq.storage.marks import Marks
from supersoniq.storage.worker import Job, Worker


class SteppedWorker(Worker):
    """Runs one job when it is told to, and tells the ends when it is told to."""

    def __init__(self) -> None:
        self._jobs: collections.deque[Job] = collections.deque()
        self._ended: collections.deque[tuple[Job, OSError | None]] = collections.deque()

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to run and nothing to tell."""
        return not self._jobs and not self._ended

    def submit(self, job: Job) -> None:
        self._jobs.append(job)

    def step(self) -> None:
        """Run the next job, if there is one."""
        if self._jobs:
            job = self._jobs.popleft()
            error: OSError | None = None
            try:
                job.run()
            except OSError as failure:
                error = failure
            self._ended.append((job, error))

    def finish(self) -> None:
        while self._ended:
            job, error = self._ended.popleft()
            job.done(error)

    def stop(self) -> None:
        while not self.is_idle:
            self.step()
            self.finish()


class SimulatedMarks(Marks):
    """Marks in a file that is never synced: a power loss leaves each as it was at some moment, or torn."""

    def __init__(self, slots: dict[int, tuple[int, int]] | None = None) -> None:
        self._slots = slots or {}
        self._history: dict[int, list[tuple[int, int]]] = {slot: [mark] for slot, mark in self._slots.items()}
        self._is_off = False
        self._new: dict[int, tuple[int, int]] | None = None  # until they replace the others

    def load(self) -> dict[int, int]:
        return {queue: position for queue, position in self._slots.values() if queue}

    def reset(self, slots: int) -> None:
        self._new = {}

    def replace(self) -> None:
        new, self._new = self._new or {}, None
        for slot in [*self._slots, *new]:
            self.set(slot, *new.get(slot, (0, 0)))

    def set(self, slot: int, queue: int, position: int) -> None:
        if self._new is not None:
            self._new[slot] = (queue, position)
        elif not self._is_off:
            self._slots[slot] = (queue, position)
            self._history.setdefault(slot, [(0, 0)]).append((queue, position))

    def close(self) -> None:
        pass

    def kill(self) -> SimulatedMarks:
        """As the next process finds them."""
        self._is_off = True
        return self.copy()

    def copy(self) -> SimulatedMarks:
        """Others that hold the same."""
        other = SimulatedMarks()
        other._slots = dict(self._slots)
        other._history = {slot: list(history) for slot, history in self._history.items()}
        return other

    def crash(self, random: Random) -> SimulatedMarks:
        """As they may be found after a power loss."""
        self._is_off = True
        other = SimulatedMarks()
        for slot, history in self._history.items():
            queue, position = random.choice(history)
            if queue and random.random() < 0.1:
                position = -1
            other._slots[slot] = (queue, position)
            other._history[slot] = [(queue, position)]
        return other
