"""What calls a queue back calls the right thing."""

from mypy_extensions import i64
from tests.fakes import FakeClock, FakeQueueStore, FakeStore, message, queue_of, settle_down

from supersoniq.broker.message import Entry
from supersoniq.broker.queues.waking import Awake, Dispatch, Expiry
from supersoniq.broker.timers import Timers
from supersoniq.broker.turn import Turn


def test_expiry_drops_what_is_due_and_says_when_more_is() -> None:
    clock = FakeClock()
    queue = queue_of(Turn(clock), FakeQueueStore())
    queue.take_in(message(b"soon"), clock.now + 10, clock.now)
    queue.take_in(message(b"later"), clock.now + 500, clock.now)
    next_ms: i64 = Expiry(queue).fire(clock.now + 10)
    assert next_ms == clock.now + 500
    assert queue.ready_count == 1


def test_timer_of_a_queue_is_a_timer() -> None:
    clock = FakeClock()
    timers = Timers(clock)
    queue = queue_of(Turn(clock), FakeQueueStore())
    queue.take_in(message(), clock.now + 10, clock.now)
    timers.set(Expiry(queue), clock.now + 10)
    clock.now += 10
    timers.run()
    assert queue.ready_count == 0


def test_rested_entry_is_ready_again() -> None:
    turn = Turn()
    queue = queue_of(turn, FakeStore().open_queue(False))
    Awake(queue).rested(Entry(message(), 1))
    assert queue.ready_count == 1
    settle_down(turn)


def test_dispatch_says_that_nothing_is_left() -> None:
    assert not Dispatch(queue_of(Turn(), FakeQueueStore())).run()
