"""Jobs of the node, as a command waits for them."""

import pytest
from tests.cli.fake_node import FakeNode

from supersoniq.cli.remote import job
from supersoniq.cli.remote.api import Api
from supersoniq.cli.remote.http import Endpoint
from supersoniq.cli.remote.job import Job


@pytest.fixture
def waiting(node: FakeNode, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A job that is done when it is looked at for the third time."""
    monkeypatch.setattr(job, "POLL_SECONDS", 0.01)
    looks = iter([shown("running", 1), shown("running", 2), shown("done", 3)])
    node.answers["GET", "jobs/7"] = lambda asked: (200, next(looks))
    return Job(Api(Endpoint(path=str(node.directory / "control.sock")), 10), shown("running", 0))


def shown(state: str, looked_at: int) -> dict[str, object]:
    return {"id": "7", "state": state, "total": 3, "looked_at": looked_at}


def test_job_is_waited_for(waiting: Job) -> None:
    assert (waiting.total, waiting.done()) == (3, 0)
    assert waiting.wait() == shown("done", 3)
    assert waiting.done() == 3


@pytest.mark.parametrize("answer", [(204, None), (404, {"error": "Object Not Found", "reason": "Not Found"})])
def test_job_is_cancelled_or_has_ended(node: FakeNode, waiting: Job, answer: tuple[int, object]) -> None:
    node.answers["DELETE", "jobs/7"] = answer
    waiting.cancel()
    assert [(each.method, each.path) for each in node.asked] == [("DELETE", "jobs/7")]
