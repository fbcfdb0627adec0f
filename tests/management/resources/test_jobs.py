"""Jobs are seen by those who may enter their virtual host."""

from tests.management.cases import NOT_FOUND, Case, play
from tests.management.conftest import Common


def test_job_of_another_virtual_host_is_not_there(ours: Common) -> None:
    ours.api.put(ours.path("/queues/$V/q"))
    job = ours.api.post(ours.path("/queues/$V/q/redrive"), {"background": True})
    stranger = ours.user("management")
    assert stranger.get("/api/jobs") == []
    for method in ("GET", "DELETE"):
        answer = stranger.ask(method, f"/api/jobs/{job['id']}")
        assert (answer.status, answer.value) == (404, NOT_FOUND)
    play(ours, [Case("GET", "/jobs/nope", None, 404, NOT_FOUND)])
