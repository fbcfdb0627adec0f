"""The application: paths, methods, and what is answered when something is wrong."""

import pytest
from tests.management.api import Api

NOT_FOUND = {"error": "Object Not Found", "reason": "Not Found"}


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/nothing", "/api/queues/%2F/nope", "/api/queues/nope", "/api/queues/%2F/a/b/c"]
)
def test_path_that_names_nothing_is_not_found(api: Api, path: str) -> None:
    answer = api.ask("GET", path)
    assert (answer.status, answer.value) == (404, NOT_FOUND)


def test_slash_at_the_end_changes_nothing(api: Api) -> None:
    assert api.get("/api/whoami/") == api.get("/api/whoami")


def test_other_methods_are_not_allowed_even_without_a_login(api: Api) -> None:
    answer = api.as_user(None).ask("POST", "/api/whoami")
    assert (answer.status, answer.value) == (405, b"")
    assert set(answer.headers["allow"].split(", ")) == {"HEAD", "GET", "OPTIONS"}


def test_options_say_what_is_allowed(api: Api) -> None:
    answer = api.ask("OPTIONS", "/api/queues")
    assert (answer.status, answer.value) == (200, b"")
    assert set(answer.headers["allow"].split(", ")) == {"HEAD", "GET", "OPTIONS"}


def test_head_is_a_get_without_a_body(api: Api) -> None:
    answer = api.ask("HEAD", "/api/whoami")
    assert (answer.status, answer.value) == (200, b"")
    assert int(answer.headers["content-length"]) > 0
