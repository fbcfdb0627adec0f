"""Errors of control carry their reason."""

import pytest

from supersoniq.control.errors import ControlError, Invalid, Missing, NotStored


@pytest.mark.parametrize("kind", [Invalid, NotStored])
def test_errors_have_a_reason(kind: type[ControlError]) -> None:
    error = kind("because")
    assert (error.reason, str(error)) == ("because", "because")


def test_what_is_missing_has_a_kind_and_a_name() -> None:
    error = Missing("user", "x")
    assert (error.reason, error.what, error.name) == ("no such user 'x'", "user", "x")
