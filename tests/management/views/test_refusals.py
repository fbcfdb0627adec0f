"""Refusals are shown with the names of their methods."""

import pytest

from supersoniq.management.views.refusals import refusal_view
from supersoniq.session.refusals import Refusal


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("50.10", "queue.declare"),
        ("60.40", "basic.publish"),
        ("10.11", "connection.start-ok"),
        ("60.100", "basic.recover-async"),
        ("0.0", None),
        ("GET /api/whoami", "GET /api/whoami"),
    ],
)
def test_method_has_its_name(method: str, name: str | None) -> None:
    view = refusal_view(Refusal(0, "u", "a", "c", "n", "/", 0, 403, "ACCESS_REFUSED", method))
    assert (view["method"], view["method_name"]) == (method, name)
    assert (view["time"], view["channel"]) == ("1970-01-01T00:00:00.000+00:00", None)
