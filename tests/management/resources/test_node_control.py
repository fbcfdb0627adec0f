"""The running node itself, over HTTP."""

import pytest
from tests.management.api import Api


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"memory_limit": "bananas"}, "memory_limit = bananas: expected a share of memory"),
        ({"port": 1}, "port cannot be changed while the node runs"),
        ({"log_level": "loud"}, "log_level = loud: expected debug, info"),
        ({"log_level": "debug"}, "log_level = debug: the node is part of another program"),
        ({}, "not_json"),
        ([], "not_json"),
        (b"{", "not_json"),
    ],
)
def test_wrong_setting_is_refused(api: Api, body: object, reason: str) -> None:
    answer = api.ask("PUT", "/api/node/settings", body)
    assert (answer.status, answer.value["error"]) == (400, "bad_request")
    assert answer.value["reason"].startswith(reason)


def test_limit_is_changed(api: Api) -> None:
    assert api.ask("PUT", "/api/node/settings", {"memory_limit": "50%"}).status == 204


def test_node_inside_a_program_has_no_log_and_no_end(api: Api) -> None:
    assert api.ask("GET", "/api/node/log").status == 404
    assert api.ask("GET", "/api/node/log?lines=x").status == 400
    answer = api.ask("POST", "/api/node/stop", {})
    assert (answer.status, answer.value["reason"]) == (
        400,
        "the node is part of another program, which stops it",
    )
