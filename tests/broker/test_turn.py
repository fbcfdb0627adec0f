"""Deferred work is done once a turn, in the order of the phases; what comes up meanwhile waits."""

from tests.fakes import Work

from supersoniq.broker.turn import Deferred, Turn


class Spawning(Deferred):
    """Work that schedules other work when it runs."""

    def __init__(self, turn: Turn, phase: str, other: Deferred) -> None:
        self.scheduled = False
        self._turn = turn
        self._phase = phase
        self._other = other

    def run(self) -> bool:
        if self._phase == "dispatch":
            self._turn.dispatch(self._other)
        elif self._phase == "store":
            self._turn.store(self._other)
        elif self._phase == "confirm":
            self._turn.confirm(self._other)
        else:
            self._turn.send(self._other)
        return False


def test_queues_go_before_the_store_then_confirms_then_outputs() -> None:
    log: list[str] = []
    turn = Turn()
    turn.send(Work("output", log))
    turn.confirm(Work("confirms", log))
    turn.store(Work("store", log))
    turn.dispatch(Work("queue", log))
    assert not turn.finish()
    assert log == ["queue", "store", "confirms", "output"]


def test_work_scheduled_twice_is_done_once() -> None:
    log: list[str] = []
    turn = Turn()
    work = Work("queue", log)
    turn.dispatch(work)
    turn.dispatch(work)
    turn.finish()
    assert log == ["queue"]


def test_work_is_done_in_the_order_in_which_it_was_scheduled() -> None:
    log: list[str] = []
    turn = Turn()
    for name in "abc":
        turn.dispatch(Work(name, log))
    turn.finish()
    assert log == ["a", "b", "c"]


def test_done_work_can_be_scheduled_again() -> None:
    log: list[str] = []
    turn = Turn()
    work = Work("queue", log)
    for _ in range(2):
        turn.dispatch(work)
        assert not turn.finish()
    assert log == ["queue", "queue"]


def test_unfinished_work_asks_for_another_turn() -> None:
    log: list[str] = []
    turn = Turn()
    turn.dispatch(Work("queue", log, again=2))
    assert [turn.finish() for _ in range(4)] == [True, True, False, False]
    assert log == ["queue"] * 3


def test_unfinished_work_does_not_go_on_at_the_end_of_every_turn() -> None:
    log: list[str] = []
    turn = Turn()
    long, short = Work("long", log, again=2), Work("short", log)
    turn.dispatch(long)
    for _ in range(3):  # three clients' turns before the loop looks at its sockets again
        turn.dispatch(short)
        turn.dispatch(long)  # has something to do already
        assert turn.finish(goes_on=False)
    assert log == ["long", "short", "short", "short"]
    assert turn.finish()
    assert not turn.finish()
    assert log[4:] == ["long", "long"]


def test_unfinished_work_has_had_its_share_and_goes_on_behind_what_came_later() -> None:
    log: list[str] = []
    turn = Turn()
    turn.dispatch(Work("first", log, again=1))
    turn.finish(goes_on=False)
    turn.dispatch(Work("second", log))
    assert not turn.finish()
    assert log == ["first", "second", "first"]


def test_unfinished_work_goes_behind_the_others() -> None:
    log: list[str] = []
    turn = Turn()
    turn.dispatch(Work("a", log, again=1))
    turn.dispatch(Work("b", log, again=1))
    turn.finish()
    turn.finish()
    assert log == ["a", "b", "a", "b"]


def test_work_that_comes_up_in_its_own_phase_waits_for_the_next_turn() -> None:
    log: list[str] = []
    turn = Turn()
    turn.dispatch(Spawning(turn, "dispatch", Work("late", log)))
    assert turn.finish()
    assert log == []
    assert not turn.finish()
    assert log == ["late"]


def test_output_that_a_dispatch_brings_about_leaves_in_the_same_turn() -> None:
    log: list[str] = []
    turn = Turn()
    turn.dispatch(Spawning(turn, "send", Work("output", log)))
    assert not turn.finish()
    assert log == ["output"]


def test_what_a_dispatch_gives_the_store_is_stored_in_the_same_turn() -> None:
    log: list[str] = []
    turn = Turn()
    turn.dispatch(Spawning(turn, "store", Work("store", log)))
    assert not turn.finish()
    assert log == ["store"]


def test_confirms_that_the_store_brings_about_are_written_in_the_same_turn() -> None:
    log: list[str] = []
    turn = Turn()
    turn.store(Spawning(turn, "confirm", Work("confirms", log)))
    assert not turn.finish()
    assert log == ["confirms"]


def test_what_a_confirm_gives_the_store_waits_for_the_next_turn() -> None:
    log: list[str] = []
    turn = Turn()
    turn.confirm(Spawning(turn, "store", Work("store", log)))
    assert turn.finish()
    assert log == []
    assert not turn.finish()
    assert log == ["store"]


def test_dispatch_that_an_output_brings_about_asks_for_another_turn() -> None:
    log: list[str] = []
    turn = Turn()
    turn.send(Spawning(turn, "dispatch", Work("queue", log)))
    assert turn.finish()
    assert log == []


def test_turn_without_work_is_over_at_once() -> None:
    assert not Turn().finish()
