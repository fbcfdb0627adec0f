"""Jobs: long work that goes on after its request was answered, and what has become of it."""

import asyncio
import functools
import logging
import secrets
from collections.abc import Callable, Coroutine
from typing import Final

from supersoniq.management.errors import ApiError
from supersoniq.management.moving import Moved

logger = logging.getLogger(__name__)

RUNNING: Final = "running"
DONE: Final = "done"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"

RUNNING_MAX: Final = 8
FINISHED_MAX: Final = 100


class JobFailed(Exception):
    """What a job was for cannot be; the text says why."""


class Job:
    """One piece of work: what it is for, who has asked for it, and how far it is.

    `total` is how many messages it will look at, at most. `ended_ms` is 0 while it runs.
    """

    def __init__(self, kind: str, vhost: str, queue: str, user: str, total: int, started_ms: int) -> None:
        self.id = secrets.token_hex(8)
        self.kind = kind
        self.vhost = vhost
        self.queue = queue
        self.user = user
        self.total = total
        self.started_ms = started_ms
        self.ended_ms = 0
        self.state = RUNNING
        self.error: str | None = None
        self.progress = Moved()


class Jobs:
    """The jobs of a node: those that run, and the last that have finished."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._jobs: dict[str, Job] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def all(self) -> list[Job]:
        """Return them, the oldest first."""
        return list(self._jobs.values())

    def find(self, number: str) -> Job | None:
        """Return the job with an id."""
        return self._jobs.get(number)

    def check(self) -> None:
        """Raise 429 if there are too many to begin another."""
        if len(self._tasks) >= RUNNING_MAX:
            raise ApiError(429, "too_many_jobs", f"{RUNNING_MAX} jobs are running")

    def start(self, job: Job, work: Callable[[Job], Coroutine[None, None, None]]) -> None:
        """Have a job run; its work may raise JobFailed."""
        self._jobs[job.id] = job
        task = self._tasks[job.id] = asyncio.get_running_loop().create_task(work(job))
        task.add_done_callback(functools.partial(self._ended, job))

    def _ended(self, job: Job, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if task.cancelled():
            job.state = CANCELLED
        elif error is None:
            job.state = DONE
        else:
            job.state = FAILED
            job.error = str(error)
            if not isinstance(error, JobFailed):
                logger.error("job %s failed, please report it", job.id, exc_info=error)
                job.error = f"internal error: {type(error).__name__}"
        job.ended_ms = self._now_ms()
        self._tasks.pop(job.id)
        finished = [each for each in self._jobs.values() if each.state != RUNNING]
        for each in sorted(finished, key=lambda each: each.ended_ms)[:-FINISHED_MAX]:
            del self._jobs[each.id]

    async def cancel(self, job: Job) -> None:
        """Stop a job; what it has done stays done. A finished one is forgotten."""
        task = self._tasks.get(job.id)
        if task is None:
            self._jobs.pop(job.id, None)
        else:
            task.cancel()
            await asyncio.wait([task])

    async def stop(self) -> None:
        """Stop all."""
        for job in self.all():
            if job.state == RUNNING:
                await self.cancel(job)
