"""Work beside the event loop: jobs run in order in one thread, and their ends are told on the loop."""

import collections
import logging
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

from mypy_extensions import mypyc_attr

logger = logging.getLogger(__name__)


@mypyc_attr(allow_interpreted_subclasses=True)
class Job(ABC):
    """One piece of work. `run` is called in the worker's thread, then `done` on the loop."""

    @abstractmethod
    def run(self) -> None:
        """Do it; an OSError is kept and given to `done`."""

    @abstractmethod
    def done(self, error: OSError | None) -> None:
        """Take note of the end."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Worker(ABC):
    """Runs jobs in the order in which they come."""

    @abstractmethod
    def submit(self, job: Job) -> None:
        """Have `job` run soon; called on the loop."""

    @abstractmethod
    def finish(self) -> None:
        """Call `done` of the jobs that have ended; called on the loop."""

    def drain(self) -> None:
        """Run what is left, and call `done` for all."""
        self.stop()

    @abstractmethod
    def stop(self) -> None:
        """Run what is left, call `done` for all, and end."""


class _Barrier(Job):
    """Tells when all that came before it has run."""

    def __init__(self) -> None:
        self.reached = threading.Event()

    def run(self) -> None:
        """Say so."""
        self.reached.set()

    def done(self, error: OSError | None) -> None:
        """Do nothing."""


class ThreadWorker(Worker):
    """A thread of its own. `notify` is called in it when a job has ended, once until `finish` is called."""

    def __init__(self, name: str, notify: Callable[[], None]) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._ended: collections.deque[tuple[Job, OSError | None]] = collections.deque()
        self._notify = notify
        self._is_notified = False
        self._is_stopped = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Put it at the end of the line."""
        self._jobs.put(job)

    def finish(self) -> None:
        """Tell those that have ended."""
        self._is_notified = False
        while self._ended:
            job, error = self._ended.popleft()
            job.done(error)

    def drain(self) -> None:
        """Wait until the thread has come to what is the end of the line now."""
        if not self._is_stopped:
            barrier = _Barrier()
            self.submit(barrier)
            barrier.reached.wait()
        self.finish()

    def stop(self) -> None:
        """Wait for the thread."""
        if not self._is_stopped:
            self._is_stopped = True
            self._jobs.put(None)
            self._thread.join()
        self.finish()

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                return
            error: OSError | None = None
            try:
                job.run()
            except OSError as failure:
                error = failure
            except Exception as failure:
                logger.exception("a job of the store failed, please report it")
                error = OSError(str(failure))
            self._ended.append((job, error))
            if not self._is_notified:
                self._is_notified = True
                self._notify()


class InlineWorker(Worker):
    """Runs each job as it comes; for tools and tests."""

    def submit(self, job: Job) -> None:
        """Run it now."""
        error: OSError | None = None
        try:
            job.run()
        except OSError as failure:
            error = failure
        job.done(error)

    def finish(self) -> None:
        """Do nothing: all have ended."""

    def stop(self) -> None:
        """Do nothing."""
