"""Cases: requests and what answers them, the same for both brokers."""

from typing import Any, NamedTuple

from tests.management.conftest import Common

NOT_FOUND = {"error": "Object Not Found", "reason": "Not Found"}
NOT_JSON = {"error": "bad_request", "reason": "not_json"}
NO_VHOST = {"error": "not_found", "reason": "vhost_not_found"}
REFUSED = {"error": "not_authorised", "reason": "Access refused."}


class Case(NamedTuple):
    """A request, and the status and body of its answer; a body of None may be anything."""

    method: str
    path: str
    body: Any
    status: int
    value: Any = None


def bad(reason: Any) -> dict[str, Any]:
    """The body of an answer 400."""
    return {"error": "bad_request", "reason": reason}


def play(common: Common, cases: list[Case]) -> None:
    """Send the requests one after the other, and compare each answer."""
    for case in cases:
        path = common.path(case.path)
        answer = common.api.ask(case.method, path, case.body, **{"Content-Type": "application/json"})
        found = (answer.status, case.value if case.value is None else answer.value)
        expected = case.value
        if isinstance(expected, dict) and isinstance(expected.get("reason"), str):
            expected = {**expected, "reason": expected["reason"].replace("$V", common.vhost)}
        assert found == (case.status, expected), case
