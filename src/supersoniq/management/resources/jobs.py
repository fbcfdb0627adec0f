"""Jobs: work in the background, how far it is, and stopping it."""

from typing import Final

from starlette.responses import Response

from supersoniq.management.access import may_enter
from supersoniq.management.call import Call, answer, done
from supersoniq.management.errors import not_authorised, not_found
from supersoniq.management.jobs import Job
from supersoniq.management.routes import Level, Route
from supersoniq.management.views.jobs import job_view


async def jobs(call: Call) -> Response:
    """Those that run and the last that have finished, of virtual hosts that the caller may enter."""
    everybody = call.management.jobs.all()
    return answer([job_view(job) for job in everybody if may_enter(call.management, call.caller, job.vhost)])


async def job(call: Call) -> Response:
    """One of them."""
    return answer(job_view(_job(call)))


async def cancel(call: Call) -> Response:
    """Stop one, what it has done stays done; forget one that has finished."""
    job = _job(call)
    if job.user != call.caller.user and not call.caller.may(Level.ADMINISTRATOR):
        raise not_authorised("User not authorised to access object")
    await call.management.jobs.cancel(job)
    return done()


def _job(call: Call) -> Job:
    found = call.management.jobs.find(call.name("job"))
    if found is None or not may_enter(call.management, call.caller, found.vhost):
        raise not_found()
    return found


ROUTES: Final = (
    Route("GET", "/jobs", jobs, "Work in the background: what runs, and the last that has finished"),
    Route("GET", "/jobs/{job}", job, "How far it is"),
    Route("DELETE", "/jobs/{job}", cancel, "Stop it; what it has done stays done"),
)
