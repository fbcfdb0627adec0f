"""The alarm is on while any watch asks for it, its text names what is short, and its end is told once."""

import pytest
from tests.broker.test_events import Listener

from supersoniq.broker.events import NoEvents
from supersoniq.server.alarms import DISK, MEMORY, Alarms, Watch
from supersoniq.session.context import Alarm


class FakeWatch(Watch):
    """Is on when it is told to be."""

    def __init__(self, resource: bytes, is_news: bool = True) -> None:
        super().__init__(resource, is_news)
        self.is_on = False
        self.times_asked = 0

    def check(self) -> bool:
        self.times_asked += 1
        return self.is_on


@pytest.fixture
def watches() -> list[FakeWatch]:
    """Of memory, and two of the disk."""
    return [FakeWatch(MEMORY), FakeWatch(DISK), FakeWatch(DISK)]


@pytest.fixture
def alarm() -> Alarm:
    return Alarm()


def turn(watches: list[FakeWatch], on: str) -> None:
    """Switch each watch; `on` is one character for each, `x` for on."""
    for watch, state in zip(watches, on, strict=True):
        watch.is_on = state == "x"


@pytest.mark.parametrize(
    ("on", "reason"),
    [
        ("x--", b"low on memory"),
        ("-x-", b"low on disk"),
        ("--x", b"low on disk"),
        ("-xx", b"low on disk"),
        ("x-x", b"low on memory & disk"),
        ("xxx", b"low on memory & disk"),
    ],
)
def test_any_watch_is_enough_and_reason_names_each_resource_once(
    watches: list[FakeWatch], alarm: Alarm, on: str, reason: bytes
) -> None:
    turn(watches, on)
    assert not Alarms(alarm, watches, NoEvents(), "n@h").check()
    assert (alarm.is_on, alarm.reason) == (True, reason)


def test_check_is_true_when_the_last_watch_went_and_then_only(watches: list[FakeWatch], alarm: Alarm) -> None:
    alarms = Alarms(alarm, watches, NoEvents(), "n@h")
    outcomes = []
    for on in ("---", "x--", "xx-", "-x-", "--x", "---", "---"):
        turn(watches, on)
        outcomes.append((alarms.check(), alarm.is_on))
    off, on_, over = (False, False), (False, True), (True, False)
    assert outcomes == [off, on_, on_, on_, on_, over, off]


def test_reason_follows_what_is_still_short(watches: list[FakeWatch], alarm: Alarm) -> None:
    alarms = Alarms(alarm, watches, NoEvents(), "n@h")
    reasons = []
    for on in ("x--", "xx-", "-x-"):
        turn(watches, on)
        alarms.check()
        reasons.append(alarm.reason)
    assert reasons == [b"low on memory", b"low on memory & disk", b"low on disk"]


def test_every_watch_is_asked_at_every_check(watches: list[FakeWatch], alarm: Alarm) -> None:
    turn(watches, "xxx")
    Alarms(alarm, watches, NoEvents(), "n@h").check()
    assert [watch.times_asked for watch in watches] == [1, 1, 1]


def test_without_watches_there_is_no_alarm(alarm: Alarm) -> None:
    assert not Alarms(alarm, [], NoEvents(), "n@h").check()
    assert not alarm.is_on


def test_each_resource_is_told_of_when_it_gets_short_and_when_it_is_not_any_more(
    watches: list[FakeWatch], alarm: Alarm
) -> None:
    listener = Listener()
    alarms = Alarms(alarm, watches, listener, "n@h")
    heard = []
    for on in ("---", "-x-", "xxx", "xxx", "x-x", "---"):
        turn(watches, on)
        alarms.check()
        heard.append([(name, fields["source"]) for name, fields in listener.heard])
        assert all([fields["node"] == "n@h" for _, fields in listener.heard])
        listener.heard.clear()
    assert heard == [
        [],
        [("alarm.set", b"disk")],
        [("alarm.set", b"memory")],
        [],
        [],
        [("alarm.cleared", b"disk"), ("alarm.cleared", b"memory")],
    ]


def test_what_is_no_news_is_not_told_of(alarm: Alarm) -> None:
    listener, watch = Listener(), FakeWatch(DISK, is_news=False)
    watch.is_on = True
    Alarms(alarm, [watch], listener, "n@h").check()
    assert (alarm.is_on, listener.heard) == (True, [])
