"""The Celery application of `test_celery.py`: imported by the test, and run by its worker processes."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from celery import Celery


def make_app(environ: Mapping[str, str]) -> Celery:
    """An application of its own: no name it uses on the broker is used by another one.

    `CONFORMANCE_BROKER` and `CONFORMANCE_BACKEND` are URLs, `CONFORMANCE_NAME` prefixes every name.
    """
    name = environ.get("CONFORMANCE_NAME", "conformance")
    app = Celery(
        "conformance",
        broker=environ.get("CONFORMANCE_BROKER"),
        backend=environ.get("CONFORMANCE_BACKEND"),
        set_as_current=False,
    )
    app.conf.update(
        task_default_queue=name,
        control_exchange=f"{name}.control",
        event_exchange=f"{name}.events",
        event_queue_prefix=f"{name}.event",
        worker_prefetch_multiplier=1,
        task_acks_late=False,
        task_send_sent_event=True,
        broker_connection_retry_on_startup=True,
        result_expires=60,
        result_chord_retry_interval=0.2,
        worker_hijack_root_logger=False,
    )
    register(app)
    return app


def register(app: Celery) -> None:
    """Give `app` the tasks; the names are the functions'."""
    for function, options in (
        (add, {}),
        (total, {}),
        (fail, {}),
        (persist, {"bind": True, "max_retries": 5}),
        (moment, {}),
        (rest, {}),
        (survive, {"bind": True, "acks_late": True, "reject_on_worker_lost": True}),
    ):
        app.task(name=function.__name__, **options)(function)


def add(x: int, y: int) -> int:
    return x + y


def rest(seconds: float) -> int:
    """Take a while; returns the id of the process that did."""
    time.sleep(seconds)
    return os.getpid()


def total(numbers: list[int]) -> int:
    return sum(numbers)


def fail(text: str) -> None:
    raise ValueError(text)


def persist(self: Any, times: int) -> int:
    """Fail `times` times, then say how often it was retried."""
    if self.request.retries < times:
        raise self.retry(countdown=0.1)
    return int(self.request.retries)


def moment() -> float:
    """When it ran."""
    return time.time()


def survive(self: Any, path: str) -> bool:
    """Hang when it is run for the first time; then say whether it was redelivered."""
    started = Path(path)
    if not started.exists():
        started.write_text(str(os.getpid()))
        time.sleep(60)
    return bool(self.request.delivery_info["redelivered"])


app = make_app(os.environ)
