"""Access: logins, and what is answered to who may not."""

import pytest
from tests.management.api import Api

CHALLENGE = 'Basic realm="RabbitMQ Management"'


def test_caller_is_named_with_tags(api: Api) -> None:
    assert api.get("/api/whoami") == {"name": "guest", "tags": ["administrator"]}


def test_request_without_a_login_is_asked_for_one(api: Api) -> None:
    answer = api.as_user(None).ask("GET", "/api/whoami")
    assert (answer.status, answer.value, answer.headers["www-authenticate"]) == (401, b"", CHALLENGE)


def test_wrong_password_is_refused(api: Api) -> None:
    answer = api.as_user("guest", "wrong").ask("GET", "/api/whoami")
    assert answer.status == 401
    assert answer.value == {"error": "not_authorized", "reason": "Login failed"}
    assert answer.headers["www-authenticate"] == CHALLENGE


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!", "Basic Z3Vlc3Q=", "Basic /////w==", "What Z3Vlc3Q6eA=="]
)
def test_header_that_makes_no_sense_is_a_bad_request(api: Api, header: str) -> None:
    answer = api.as_user(None).ask("GET", "/api/whoami", Authorization=header)
    assert (answer.status, answer.value) == (400, b"")
