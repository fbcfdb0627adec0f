"""Long work: what comes of it, with and without somebody who watches."""

import threading

import pytest

from supersoniq.cli.remote import progress
from supersoniq.cli.remote.api import ApiError, Unreachable
from supersoniq.cli.remote.call import Call, Common
from supersoniq.cli.remote.progress import with_progress


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Call:
    """A call at a terminal, whose bar appears at once."""
    monkeypatch.setattr(Call, "is_terminal", property(lambda call: True))
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(progress, "POLL_SECONDS", 0.01)
    return Call(Common())


def test_script_sees_no_bar() -> None:
    assert (
        with_progress(Call(Common()), "moving", 5, lambda: "result", lambda: pytest.fail("asked")) == "result"
    )


def test_bar_follows_what_is_done(watched: Call) -> None:
    looked = threading.Event()

    def done() -> int:
        looked.set()
        raise Unreachable("a bar is not worth an error")

    assert with_progress(watched, "moving", 5, lambda: looked.wait(30), done) is True


def test_error_of_the_work_is_raised(watched: Call) -> None:
    def fail() -> None:
        raise ApiError("because")

    with pytest.raises(ApiError, match="because"):
        with_progress(watched, "moving", 5, fail, lambda: 0)
