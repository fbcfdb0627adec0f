"""Handshakes that are under way: their number, their time, and their share of the loop's."""

import logging

import pytest
from tests.server.fake_loop import FakeLoop

from supersoniq.server.handshakes import PENDING_MAX, TURN_SECONDS, Handshakes, Pending


class FakePending(Pending):
    """Takes as long as it is told, which is nothing at first."""

    def __init__(self, address: str = "127.0.0.1:5", costs: bool = False) -> None:
        self.address = address
        self.costs = costs
        self.advanced = 0
        self.is_dropped = False

    def advance(self) -> None:
        self.advanced += 1
        if self.costs:
            burn(TURN_SECONDS)

    def give_up(self) -> str:
        self.is_dropped = True
        return self.address


def burn(seconds: float) -> None:
    import time

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


@pytest.fixture
def loop() -> FakeLoop:
    return FakeLoop()


@pytest.fixture
def handshakes(loop: FakeLoop) -> Handshakes:
    return Handshakes(loop.as_loop(), 10)


def begun(handshakes: Handshakes, *all_pending: FakePending) -> None:
    for pending in all_pending:
        handshakes.begin(pending)
        handshakes.ready(pending)


def test_cheap_ones_are_advanced_together(loop: FakeLoop, handshakes: Handshakes) -> None:
    several = [FakePending() for _ in range(5)]
    begun(handshakes, *several)
    assert not any(pending.advanced for pending in several)
    loop.run()
    assert sum(pending.advanced for pending in several) >= 1
    while loop.soon:
        loop.run()
    assert [pending.advanced for pending in several] == [1] * 5


def test_after_a_costly_one_the_loop_looks_at_others(loop: FakeLoop, handshakes: Handshakes) -> None:
    several = [FakePending(costs=True) for _ in range(3)]
    begun(handshakes, *several)
    for count in (1, 2, 3):
        loop.run()
        assert sum(pending.advanced for pending in several) == count
    assert loop.soon == []


def test_one_that_is_over_is_not_advanced(loop: FakeLoop, handshakes: Handshakes) -> None:
    pending = FakePending()
    begun(handshakes, pending)
    handshakes.end(pending)
    loop.run()
    assert (pending.advanced, handshakes.count) == (0, 0)


def test_who_takes_too_long_is_dropped(
    loop: FakeLoop, handshakes: Handshakes, caplog: pytest.LogCaptureFixture
) -> None:
    early, other, told = FakePending("1.1.1.1:1"), FakePending("2.2.2.2:2"), FakePending("")
    begun(handshakes, early, told, other)
    loop.now = 5
    late = FakePending()
    begun(handshakes, late)
    loop.now = 9.9
    handshakes.tick()
    assert not early.is_dropped
    loop.now = 10
    with caplog.at_level(logging.WARNING):
        handshakes.tick()
    assert (early.is_dropped, told.is_dropped, other.is_dropped, late.is_dropped) == (True, True, True, False)
    assert [record.getMessage() for record in caplog.records] == [
        "connection 1.1.1.1:1 and 1 more: handshake timeout"
    ]


def test_oldest_makes_room_when_there_are_too_many(
    handshakes: Handshakes, caplog: pytest.LogCaptureFixture
) -> None:
    several = [FakePending() for _ in range(PENDING_MAX + 2)]
    for pending in several:
        handshakes.begin(pending)
    assert handshakes.count == PENDING_MAX
    assert [pending.is_dropped for pending in several[:3]] == [True, True, False]
    with caplog.at_level(logging.WARNING):
        handshakes.tick()
        handshakes.tick()
    assert [record.getMessage() for record in caplog.records] == [
        f"{PENDING_MAX} handshakes were under way, 2 of the oldest made room for others"
    ]


def test_all_are_dropped_when_the_node_stops(handshakes: Handshakes) -> None:
    several = [FakePending() for _ in range(3)]
    begun(handshakes, *several)
    handshakes.stop()
    assert all(pending.is_dropped for pending in several)
    assert handshakes.count == 0
