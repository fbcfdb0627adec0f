"""Jobs: they end in some way, can be stopped, and only so many are there."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from supersoniq.management.errors import ApiError
from supersoniq.management.jobs import (
    CANCELLED,
    DONE,
    FAILED,
    FINISHED_MAX,
    RUNNING,
    RUNNING_MAX,
    Job,
    JobFailed,
    Jobs,
)


def new_job(number: int = 0) -> Job:
    return Job("move", "/", f"q{number}", "guest", 1, 1)


def run(play: Callable[[Jobs], Coroutine[None, None, None]]) -> None:
    times = iter(range(1, 10_000))

    async def played() -> None:
        await asyncio.wait_for(play(Jobs(lambda: next(times))), 30)

    asyncio.run(played())


async def ended(job: Job) -> None:
    while job.state == RUNNING:
        await asyncio.sleep(0)


async def well(job: Job) -> None:
    job.progress.moved += 1


async def ill(job: Job) -> None:
    raise JobFailed("because")


async def wrong(job: Job) -> None:
    raise ZeroDivisionError


async def long(job: Job) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("work", "state", "error"),
    [(well, DONE, None), (ill, FAILED, "because"), (wrong, FAILED, "internal error: ZeroDivisionError")],
)
def test_job_ends(work: Callable[[Job], Coroutine[None, None, None]], state: str, error: str | None) -> None:
    async def play(jobs: Jobs) -> None:
        job = new_job()
        jobs.start(job, work)
        assert (job.state, jobs.find(job.id)) == (RUNNING, job)
        await ended(job)
        assert (job.state, job.error, job.ended_ms) == (state, error, 1)

    run(play)


@pytest.mark.parametrize("has_begun", [True, False])
def test_job_is_stopped_then_forgotten(has_begun: bool) -> None:
    async def play(jobs: Jobs) -> None:
        job = new_job()
        jobs.start(job, long)
        if has_begun:
            await asyncio.sleep(0)
        await jobs.cancel(job)
        assert (job.state, job.ended_ms, jobs.all()) == (CANCELLED, 1, [job])
        await jobs.cancel(job)
        assert jobs.all() == []

    run(play)


def test_only_so_many_run() -> None:
    async def play(jobs: Jobs) -> None:
        for number in range(RUNNING_MAX):
            jobs.check()
            jobs.start(new_job(number), long)
        with pytest.raises(ApiError, match="8 jobs are running") as raised:
            jobs.check()
        assert raised.value.status == 429
        await jobs.stop()
        assert {job.state for job in jobs.all()} == {CANCELLED}
        jobs.check()

    run(play)


def test_only_the_last_are_kept_beside_those_that_run() -> None:
    async def play(jobs: Jobs) -> None:
        running = new_job()
        jobs.start(running, long)
        for number in range(FINISHED_MAX + 5):
            job = new_job(number)
            jobs.start(job, well)
            await ended(job)
        names = [job.queue for job in jobs.all()]
        assert (len(names), names[1], names[-1]) == (FINISHED_MAX + 1, "q5", f"q{FINISHED_MAX + 4}")
        await jobs.stop()

    run(play)
