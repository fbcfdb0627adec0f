"""Errors: their bodies."""

from supersoniq.management.errors import ApiError, bad_request, not_authenticated


def test_error_has_a_body_with_error_and_reason() -> None:
    assert bad_request("not_json").body() == b'{"error":"bad_request","reason":"not_json"}'


def test_error_without_a_name_has_none() -> None:
    assert not_authenticated().body() == b""
    assert ApiError(400).body() == b""
