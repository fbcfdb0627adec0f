"""Turns end with each event, and once more soon as long as something is left."""

import pytest
from tests.fakes import Work
from tests.server.fake_loop import FakeLoop

from supersoniq.broker.turn import Turn
from supersoniq.server.pulse import Pulse


def test_deferred_work_is_done_at_once() -> None:
    turn, loop, log = Turn(), FakeLoop(), list[str]()
    turn.dispatch(Work("queue", log))
    Pulse(turn, loop.as_loop()).end_turn()
    assert log == ["queue"]
    assert loop.soon == []


def test_what_is_left_runs_after_the_loop_has_looked_around() -> None:
    turn, loop, log = Turn(), FakeLoop(), list[str]()
    turn.dispatch(Work("queue", log, again=2))
    Pulse(turn, loop.as_loop()).end_turn()
    assert log == ["queue"]
    loop.run()
    assert log == ["queue"] * 2
    loop.run()
    assert log == ["queue"] * 3
    assert loop.soon == []


def test_loop_is_asked_once_however_many_turns_end_meanwhile() -> None:
    turn, loop, log = Turn(), FakeLoop(), list[str]()
    turn.dispatch(Work("queue", log, again=100))
    pulse = Pulse(turn, loop.as_loop())
    for _ in range(5):
        pulse.end_turn()
    assert len(loop.soon) == 1


def test_turns_of_other_events_do_not_go_on_with_what_is_left() -> None:
    turn, loop, log = Turn(), FakeLoop(), list[str]()
    turn.dispatch(Work("queue", log, again=2))
    pulse = Pulse(turn, loop.as_loop())
    for _ in range(5):
        pulse.end_turn()
    assert log == ["queue"]
    loop.run()
    assert log == ["queue"] * 2


def test_turns_are_counted() -> None:
    turn, loop = Turn(), FakeLoop()
    pulse = Pulse(turn, loop.as_loop())
    for _ in range(3):
        pulse.end_turn()
    assert pulse.count == 3


class Broken(Work):
    """Work that has a bug."""

    def run(self) -> bool:
        super().run()
        raise ValueError("a bug")


def test_work_that_fails_stops_nobody_elses(caplog: pytest.LogCaptureFixture) -> None:
    turn, loop, log = Turn(), FakeLoop(), list[str]()
    turn.dispatch(Broken("broken", log))
    turn.dispatch(Work("other", log))
    turn.send(Work("output", log))
    pulse = Pulse(turn, loop.as_loop())
    pulse.end_turn()
    loop.run()
    assert log == ["broken", "other", "output"]
    assert "deferred work failed" in caplog.text
    assert loop.soon == []
