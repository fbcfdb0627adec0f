"""A queue does what the rules say: it is compared with a naive one, step by step.

A failing seed is run again by `SEED=123 pytest tests/broker/queues/test_model.py -k again`.
"""

import os
import time
from collections.abc import Callable

import pytest
from tests.broker.queues.comparison import Comparison, number_of
from tests.broker.queues.restarting import RestartingComparison
from tests.fakes import FakeQueueStore

from supersoniq.broker.message import Message
from supersoniq.broker.ports import Page
from supersoniq.broker.queues.backlog import CHUNK_BODY_BYTES
from supersoniq.broker.queues.queue import NOBODY, Queue
from supersoniq.broker.turn import Turn

SEEDS = 400
RESTARTING_SEEDS = 120
SOAK_SEEDS = 5_000


class PageStore(FakeQueueStore):
    """Notes what is settled with its page, too."""

    def settled_page(self, page: Page) -> None:
        self.settled_messages.extend([entry.message for entry in self.pages[page]])
        super().settled_page(page)


class PagingComparison(Comparison):
    """The real queue has a store that keeps pages in memory, and notes what it is told to forget."""

    def open(self) -> tuple[Turn, Queue]:
        turn = Turn(self.clock)
        self.kept = PageStore(memory_bytes_max=self.random.choice([0, 1, 3 * CHUNK_BODY_BYTES]))
        return turn, Queue(b"q", True, False, NOBODY, self.options, turn, self.kept)

    def put(self, message: Message, expiration_ms: int) -> None:
        queue = self.queue
        message.stored = 1
        if queue.rules.is_plain and expiration_ms < 0:
            queue.enqueue(message)
        elif queue.refuses(message):
            queue.refuse(message)
        else:
            queue.take_in(message, queue.rules.expires_at(self.clock.now, expiration_ms), self.clock.now)

    def more_steps(self) -> list[Callable[[], None]]:
        return [self.spill]

    def compare_kept(self) -> None:
        where = self.where
        assert set(self.kept.pages) == set(self.queue.pages()), where
        messages = self.kept.settled_messages
        numbers = {number_of(message) for message in messages}
        assert len(numbers) == len(messages), where
        assert numbers == self.naive.settled, where

    def spill(self) -> None:
        self.kept.memory_bytes_max = self.random.choice([0, 1, 3 * CHUNK_BODY_BYTES])
        self.queue.spill()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_seed_agrees(seed: int) -> None:
    PagingComparison(seed).run()


@pytest.mark.parametrize("seed", range(RESTARTING_SEEDS))
def test_seed_agrees_after_restarts(seed: int) -> None:
    RestartingComparison(seed).run()


@pytest.mark.skipif("SEED" not in os.environ, reason="runs the seed in the environment variable SEED again")
@pytest.mark.parametrize("kind", [PagingComparison, RestartingComparison])
def test_one_seed_again(kind: type[Comparison]) -> None:
    kind(int(os.environ["SEED"])).run()


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", [PagingComparison, RestartingComparison])
def test_thousands_of_seeds_agree(kind: type[Comparison]) -> None:
    first = int(os.environ.get("SEED", time.time_ns() % 2**32))
    for seed in range(first, first + SOAK_SEEDS):
        try:
            kind(seed).run()
        except Exception as error:
            raise AssertionError(f"seed {seed}, the {seed - first + 1}. of this run") from error
