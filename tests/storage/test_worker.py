"""Jobs run in order, beside the loop, and their ends are told on it."""

import logging
import threading

import pytest

from supersoniq.storage.worker import InlineWorker, Job, ThreadWorker, Worker

WAIT_SECONDS = 10


class Note(Job):
    """Writes down that it ran and that it was told, and in which thread."""

    def __init__(self, name: str, log: list[str], error: Exception | None = None) -> None:
        self.name = name
        self.log = log
        self.error = error
        self.ran_in = 0
        self.told_in = 0
        self.told_error: OSError | None = None

    def run(self) -> None:
        self.ran_in = threading.get_ident()
        self.log.append(f"run {self.name}")
        if self.error is not None:
            raise self.error

    def done(self, error: OSError | None) -> None:
        self.told_in = threading.get_ident()
        self.told_error = error
        self.log.append(f"done {self.name}")


class Gate(Job):
    """Runs until it is opened."""

    def __init__(self) -> None:
        self.is_reached = threading.Event()
        self.is_open = threading.Event()

    def run(self) -> None:
        self.is_reached.set()
        assert self.is_open.wait(WAIT_SECONDS)

    def done(self, error: OSError | None) -> None:
        assert error is None


class Bell:
    """Counts how often it is rung, and can be waited for."""

    def __init__(self) -> None:
        self.count = 0
        self._rung = threading.Event()

    def ring(self) -> None:
        self.count += 1
        self._rung.set()

    def wait(self) -> None:
        assert self._rung.wait(WAIT_SECONDS)
        self._rung.clear()


@pytest.fixture(params=["thread", "inline"])
def worker(request: pytest.FixtureRequest) -> Worker:
    return InlineWorker() if request.param == "inline" else ThreadWorker("test", lambda: None)


def test_jobs_run_and_are_told_in_order(worker: Worker) -> None:
    log: list[str] = []
    for name in "abc":
        worker.submit(Note(name, log))
    worker.stop()
    for verb in ("run", "done"):
        assert [line for line in log if line.startswith(verb)] == [f"{verb} {name}" for name in "abc"]


def test_error_of_the_disk_is_told(worker: Worker) -> None:
    failure = OSError(5, "Input/output error")
    bad, good = Note("bad", [], failure), Note("good", [])
    worker.submit(bad)
    worker.submit(good)
    worker.stop()
    assert (bad.told_error, good.told_error) == (failure, None)


def test_second_stop_does_nothing(worker: Worker) -> None:
    log: list[str] = []
    worker.submit(Note("a", log))
    worker.stop()
    worker.stop()
    worker.finish()
    assert log == ["run a", "done a"]


def test_jobs_run_in_the_thread_and_are_told_to_who_finishes() -> None:
    bell = Bell()
    worker = ThreadWorker("test", bell.ring)
    job = Note("a", [])
    worker.submit(job)
    bell.wait()
    assert job.log == ["run a"]
    worker.finish()
    worker.stop()
    assert job.told_in == threading.get_ident()
    assert job.ran_in != threading.get_ident()


def test_end_is_notified_once_until_it_is_told() -> None:
    log: list[str] = []
    bell, gate = Bell(), Gate()
    worker = ThreadWorker("test", bell.ring)
    worker.submit(Note("a", log))
    bell.wait()
    worker.submit(Note("b", log))
    worker.submit(gate)
    assert gate.is_reached.wait(WAIT_SECONDS)
    assert bell.count == 1
    worker.finish()
    assert log == ["run a", "run b", "done a", "done b"]
    gate.is_open.set()
    bell.wait()
    assert bell.count == 2
    worker.stop()


def test_jobs_that_wait_run_before_the_end() -> None:
    log: list[str] = []
    gate = Gate()
    worker = ThreadWorker("test", lambda: None)
    worker.submit(gate)
    for name in "ab":
        worker.submit(Note(name, log))
    gate.is_open.set()
    worker.stop()
    assert log == ["run a", "run b", "done a", "done b"]


def test_job_that_is_submitted_when_another_is_told_runs() -> None:
    log: list[str] = []
    bell = Bell()
    thread = ThreadWorker("test", bell.ring)

    class Chain(Note):
        def done(self, error: OSError | None) -> None:
            super().done(error)
            thread.submit(Note("b", log))

    thread.submit(Chain("a", log))
    bell.wait()
    thread.finish()
    thread.stop()
    assert log[:2] == ["run a", "done a"]
    assert log[2:] == ["run b", "done b"]


def test_unexpected_error_is_logged_and_told_as_one_of_the_disk(caplog: pytest.LogCaptureFixture) -> None:
    worker = ThreadWorker("test", lambda: None)
    bad, good = Note("bad", [], ValueError("a bug")), Note("good", [])
    with caplog.at_level(logging.ERROR):
        worker.submit(bad)
        worker.submit(good)
        worker.stop()
    assert str(bad.told_error) == "a bug"
    assert good.told_error is None
    assert "please report it" in caplog.text


def test_many_jobs_are_all_told() -> None:
    log: list[str] = []
    bell = Bell()
    worker = ThreadWorker("test", bell.ring)
    for number in range(2_000):
        worker.submit(Note(str(number), log))
    while len(log) < 4_000:
        bell.wait()
        worker.finish()
    worker.stop()
    assert [line for line in log if line.startswith("done")] == [f"done {number}" for number in range(2_000)]
