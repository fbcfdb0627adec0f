"""Celery: workers that are processes of their own, started once for this module."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery, chord, group
from tests.conformance.celery_app import make_app
from tests.conformance.codec import Channel, Exchange, Queue
from tests.conformance.wire import Wire

pytestmark = [pytest.mark.rule("clients", "celery"), pytest.mark.timeout(90)]
PATIENCE = 20


class Worker:
    """`celery worker` with its children; it is ready when it answers a ping."""

    def __init__(self, app: Celery, environ: dict[str, str], log: Path, *options: str) -> None:
        self.name = f"{uuid.uuid4().hex[:8]}@conformance"
        command = [sys.executable, "-m", "celery", "-A", "tests.conformance.celery_app", "worker"]
        command += ["--hostname", self.name, "--loglevel", "info", "--without-gossip", "--without-mingle"]
        with log.open("w") as stream:
            self.process = subprocess.Popen(
                [*command, *options],
                cwd=Path(__file__).parents[2],
                env=os.environ | environ,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while not app.control.ping(destination=[self.name], timeout=0.3, limit=1):
            if time.monotonic() > deadline or self.process.poll() is not None:
                self.kill()
                pytest.fail("the worker does not answer:\n" + log.read_text())

    def stop(self) -> bool:
        """Wait for the end of a warm shutdown; false if it takes too long."""
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return False
        finally:
            self.kill()
        return True

    def kill(self) -> None:
        """Kill the worker and its children, as a machine that fails does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Project:
    """An application and its workers, with everything of theirs on the broker."""

    def __init__(self, url: str, backend: str, directory: Path) -> None:
        self.name = f"conformance.celery.{uuid.uuid4().hex[:8]}"
        self.url, self.directory = url, directory
        self.environ = {
            "CONFORMANCE_BROKER": url,
            "CONFORMANCE_BACKEND": backend,
            "CONFORMANCE_NAME": self.name,
        }
        self.app = make_app(self.environ)
        self.workers: list[Worker] = []

    def start(self, *options: str) -> Worker:
        log = self.directory / f"worker-{len(self.workers)}.log"
        self.workers.append(Worker(self.app, self.environ, log, *options))
        return self.workers[-1]

    def send(self, task: str, *arguments: Any, **options: Any) -> Any:
        return self.app.tasks[task].apply_async(arguments, **options)

    def close(self) -> None:
        running = [worker for worker in self.workers if worker.process.poll() is None]
        for worker in running:
            worker.process.terminate()
        for worker in running:
            worker.stop()
        consumer = getattr(self.app.backend, "result_consumer", None)
        if consumer is not None:
            consumer.stop()
        self.app.pool.force_close_all()
        self.app.close()
        wire = Wire.opened(self.url)
        for name in ("", ".control.pidbox", ".events", ".added"):
            channel = wire.channel()
            channel.call(Queue.delete(queue=self.name + name))
            channel.call(Exchange.delete(exchange=self.name + name))
            channel.call(Exchange.delete(exchange="reply." + self.name + name))
            channel.call(Channel.close())
        wire.close()


@pytest.fixture(scope="module")
def open_project(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Project]]:
    projects: list[Project] = []

    def open_project(backend: str) -> Project:
        directory = tmp_path_factory.mktemp("celery")
        projects.append(Project(url, backend.format(directory), directory))
        return projects[-1]

    yield open_project
    for project in projects:
        project.close()


@pytest.fixture(scope="module")
def project(open_project: Callable[[str], Project]) -> Project:
    """One worker of two processes with events; results return through the broker."""
    project = open_project("rpc://")
    project.start("--concurrency", "2", "--task-events")
    return project


def test_results_return_through_the_broker(project: Project) -> None:
    results = [project.send("add", number, 1) for number in range(50)]
    assert [result.get(timeout=PATIENCE) for result in results] == [number + 1 for number in range(50)]


def test_exceptions_return_too(project: Project) -> None:
    with pytest.raises(ValueError, match="on purpose"):
        project.send("fail", "on purpose").get(timeout=PATIENCE)


def test_retried_task_succeeds_in_the_end(project: Project) -> None:
    assert project.send("persist", 3).get(timeout=PATIENCE) == 3


def test_groups_and_chains(project: Project) -> None:
    task = project.app.tasks["add"]
    assert group(task.s(number, number) for number in range(10))().get(timeout=PATIENCE) == [
        2 * number for number in range(10)
    ]
    assert (task.s(1, 2) | task.s(3) | task.s(4))().get(timeout=PATIENCE) == 10


def test_eta_tasks_do_not_block_the_worker_and_run_when_they_are_due(project: Project) -> None:
    """The worker holds ETA tasks unacknowledged, so its prefetch of 2 must grow while it consumes.

    It does so in steps of up to two seconds, which are Celery's.
    """
    due = time.time() + 8
    later = [project.send("moment", countdown=8) for _ in range(6)]
    now = project.send("moment")
    assert now.get(timeout=7.5) < due
    stats = project.app.control.inspect(
        destination=[project.workers[0].name], timeout=PATIENCE, limit=1
    ).stats()
    assert stats[project.workers[0].name]["prefetch_count"] > 2
    assert all(result.get(timeout=PATIENCE) >= due - 0.05 for result in later)


def test_remote_control_answers(project: Project) -> None:
    (worker,) = project.workers[:1]
    inspect = project.app.control.inspect(destination=[worker.name], timeout=PATIENCE, limit=1)
    assert inspect.ping() == {worker.name: {"ok": "pong"}}
    assert inspect.stats()[worker.name]["pool"]["max-concurrency"] == 2
    assert [queue["name"] for queue in inspect.active_queues()[worker.name]] == [project.name]
    assert "add" in inspect.registered()[worker.name]


def test_remote_control_grows_and_shrinks_the_pool(project: Project) -> None:
    control, worker = project.app.control, project.workers[0].name

    def concurrency() -> int:
        stats = control.inspect(destination=[worker], timeout=PATIENCE, limit=1).stats() or {}
        return len(stats[worker]["pool"]["processes"]) if stats else 0

    options = {"destination": [worker], "reply": True, "timeout": PATIENCE, "limit": 1}
    assert control.pool_grow(1, **options)
    while concurrency() != 3:
        time.sleep(0.05)
    assert [project.send("add", n, n).get(timeout=PATIENCE) for n in range(6)] == [0, 2, 4, 6, 8, 10]
    assert control.pool_shrink(1, **options)
    assert project.send("add", 1, 2).get(timeout=PATIENCE) == 3


@pytest.mark.rule("basic.qos", "celery-autoscale")
def test_autoscaled_worker_takes_more_tasks_at_a_time(open_project: Callable[[str], Project]) -> None:
    project = open_project("rpc://")
    project.start("--autoscale", "3,1")
    assert project.send("add", 1, 1).get(timeout=PATIENCE) == 2
    resting = [project.send("rest", 1.5) for _ in range(6)]
    assert len({result.get(timeout=PATIENCE) for result in resting}) == 3


def test_remote_control_adds_and_cancels_a_queue(project: Project) -> None:
    control, worker, added = project.app.control, project.workers[0].name, f"{project.name}.added"
    options = {"destination": [worker], "reply": True, "timeout": PATIENCE, "limit": 1}
    assert control.add_consumer(added, **options)
    assert project.send("add", 2, 2, queue=added).get(timeout=PATIENCE) == 4
    assert control.cancel_consumer(added, **options)

    def names() -> list[str]:
        queues = control.inspect(destination=[worker], timeout=PATIENCE, limit=1).active_queues()[worker]
        return [queue["name"] for queue in queues]

    # The worker answers before it has cancelled.
    deadline = time.monotonic() + PATIENCE
    while added in names() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert added not in names()


def test_revoked_task_is_not_run(project: Project) -> None:
    result = project.send("add", 1, 1, countdown=1)
    project.app.control.revoke(
        result.id, destination=[project.workers[0].name], reply=True, timeout=PATIENCE, limit=1
    )
    with pytest.raises(Exception, match="revoked"):
        result.get(timeout=PATIENCE)


def test_events_tell_a_tasks_life(project: Project) -> None:
    seen: list[str] = []
    ready = threading.Event()
    with project.app.connection_for_read() as connection:
        receiver = project.app.events.Receiver(connection)

        def note(event: dict[str, Any]) -> None:
            seen.append(event["type"])
            receiver.should_stop = event["type"] == "task-succeeded"

        receiver.handlers["*"] = note
        receiver.on_consume_ready = lambda *_, **__: ready.set()
        thread = threading.Thread(target=receiver.capture, kwargs={"timeout": PATIENCE, "wakeup": False})
        thread.start()
        assert ready.wait(PATIENCE)
        project.send("add", 1, 1).get(timeout=PATIENCE)
        thread.join(PATIENCE)
    assert {"task-received", "task-started", "task-succeeded"} <= set(seen)


def test_chord_runs_its_callback_once_all_are_done(open_project: Callable[[str], Project]) -> None:
    project = open_project("file://{}")
    project.start("--pool", "solo")
    header = [project.app.tasks["add"].s(number, number) for number in range(5)]
    assert chord(header)(project.app.tasks["total"].s()).get(timeout=PATIENCE, interval=0.1) == 20


def test_task_of_a_killed_worker_is_redelivered_to_the_next_one(
    open_project: Callable[[str], Project], tmp_path: Path
) -> None:
    project = open_project("rpc://")
    doomed = project.start("--concurrency", "1")
    started = tmp_path / "started"
    result = project.send("survive", str(started))
    deadline = time.monotonic() + PATIENCE
    while not started.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    doomed.kill()
    project.start("--concurrency", "1")
    assert result.get(timeout=PATIENCE) is True
