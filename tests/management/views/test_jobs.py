"""The fields of jobs."""

from supersoniq.management.jobs import Job
from supersoniq.management.views.jobs import job_view


def test_job_that_has_begun() -> None:
    job = Job("redrive", "/", "q", "guest", 3, 1795750726849)
    job.progress.moved, job.progress.left, job.progress.looked_at = 1, 1, 2
    shown = job_view(job)
    assert shown.pop("id") == job.id
    assert shown == {
        "kind": "redrive",
        "vhost": "/",
        "queue": "q",
        "user": "guest",
        "state": "running",
        "error": None,
        "total": 3,
        "looked_at": 2,
        "moved": 1,
        "skipped": 1,
        "started": "2026-11-27T03:38:46.849+00:00",
        "ended": None,
    }
