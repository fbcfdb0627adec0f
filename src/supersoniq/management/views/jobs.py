"""Jobs and their fields."""

from supersoniq.management.jobs import Job
from supersoniq.management.views.common import Fields, iso_time


def job_view(job: Job) -> Fields:
    """Return how far a job is."""
    progress = job.progress
    return {
        "id": job.id,
        "kind": job.kind,
        "vhost": job.vhost,
        "queue": job.queue,
        "user": job.user,
        "state": job.state,
        "error": job.error,
        "total": job.total,
        "looked_at": progress.looked_at,
        "moved": progress.moved,
        "skipped": progress.left,
        "started": iso_time(job.started_ms),
        "ended": iso_time(job.ended_ms) if job.ended_ms else None,
    }
