"""When the loop commits by itself, and how soon it stops."""

import pytest

from supersoniq.storage.direct import ALONE_COUNT, BACKOFF_MAX, SECONDS_MAX, Bystander, Direct

FAST = SECONDS_MAX / 2
SLOW = SECONDS_MAX * 2


class FakeBystander(Bystander):
    """Counts how often it was asked to watch."""

    times = 0

    def watch(self) -> None:
        self.times += 1


@pytest.fixture
def bystander() -> FakeBystander:
    return FakeBystander()


@pytest.fixture
def direct(bystander: FakeBystander) -> Direct:
    direct = Direct()
    direct.bystander = bystander
    return direct


def skipped(direct: Direct) -> int:
    """How many batches go to the thread before one may be committed here."""
    for count in range(BACKOFF_MAX * 2):
        if direct.may_commit():
            return count
    raise AssertionError("never again")


def test_nothing_is_committed_on_the_loop_without_a_bystander() -> None:
    assert not Direct().may_commit()


def test_one_client_alone_is_always_served_here(direct: Direct, bystander: FakeBystander) -> None:
    for times in range(1, ALONE_COUNT + 1):
        assert direct.may_commit()
        direct.committed(FAST)
        assert bystander.times == times
        direct.watched(False)


def commit_alone(direct: Direct, bystander: FakeBystander, times: int) -> None:
    """So many commits in a row, and nobody else is there whenever the bystander looks."""
    for _ in range(times):
        assert direct.may_commit()
        before = bystander.times
        direct.committed(FAST)
        if bystander.times > before:
            direct.watched(False)


def test_one_who_was_alone_for_long_is_looked_at_less_often(direct: Direct, bystander: FakeBystander) -> None:
    commit_alone(direct, bystander, ALONE_COUNT)
    assert bystander.times == ALONE_COUNT
    commit_alone(direct, bystander, 10 * (ALONE_COUNT + 1))
    assert bystander.times == ALONE_COUNT + 10


def test_others_who_come_later_are_seen_and_it_begins_anew(direct: Direct, bystander: FakeBystander) -> None:
    commit_alone(direct, bystander, 3 * ALONE_COUNT)
    for _ in range(ALONE_COUNT + 1):
        assert direct.may_commit()
        before = bystander.times
        direct.committed(FAST)
        if bystander.times > before:
            direct.watched(True)
            break
    assert skipped(direct) == 2
    before = bystander.times
    commit_alone(direct, bystander, ALONE_COUNT)
    assert bystander.times == before + ALONE_COUNT


def test_others_that_were_there_send_the_next_batches_to_the_thread(direct: Direct) -> None:
    assert direct.may_commit()
    direct.committed(FAST)
    direct.watched(True)
    assert skipped(direct) == 2


def test_batch_before_the_bystander_has_looked_is_a_sign_of_others(
    direct: Direct, bystander: FakeBystander
) -> None:
    assert direct.may_commit()
    direct.committed(FAST)
    assert not direct.may_commit()
    assert bystander.times == 1


def test_one_hiccup_of_the_disk_is_forgiven_and_others_are_looked_for(
    direct: Direct, bystander: FakeBystander
) -> None:
    commit_alone(direct, bystander, ALONE_COUNT)
    for times in range(1, 5):
        direct.committed(SLOW)
        assert bystander.times == ALONE_COUNT + times
        direct.watched(False)
        commit_alone(direct, bystander, ALONE_COUNT)


def test_slow_disk_is_left_to_the_thread(direct: Direct, bystander: FakeBystander) -> None:
    commit_alone(direct, bystander, ALONE_COUNT)
    slow_twice(direct)
    assert bystander.times == ALONE_COUNT + 1
    assert skipped(direct) == 2


def slow_twice(direct: Direct) -> None:
    for _ in range(2):
        assert direct.may_commit()
        direct.committed(SLOW)
        direct.watched(False)


def test_slow_disk_is_not_tried_more_often_because_nobody_else_is_there(
    direct: Direct, bystander: FakeBystander
) -> None:
    commit_alone(direct, bystander, ALONE_COUNT)
    slow_twice(direct)
    assert skipped(direct) == 2
    before = bystander.times
    commit_alone(direct, bystander, ALONE_COUNT)
    assert bystander.times == before


def test_each_failure_doubles_the_wait_up_to_a_bound(direct: Direct) -> None:
    direct.committed(SLOW)
    direct.watched(False)
    waits = []
    for _ in range(14):
        direct.committed(SLOW)
        waits.append(skipped(direct))
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512] + [BACKOFF_MAX] * 5


def test_one_commit_without_others_starts_again_from_the_shortest_wait(direct: Direct) -> None:
    slow_twice(direct)
    for _ in range(5):
        skipped(direct)
        direct.committed(SLOW)
    assert skipped(direct) == 64
    direct.committed(FAST)
    direct.watched(False)
    slow_twice(direct)
    assert skipped(direct) == 2


def test_bystander_is_asked_once_at_a_time(direct: Direct, bystander: FakeBystander) -> None:
    direct.committed(FAST)
    direct.committed(FAST)
    assert bystander.times == 1
    direct.watched(False)
    direct.committed(FAST)
    assert bystander.times == 2
