"""Errors of control carry their reason."""

import pytest

from supersoniq.control.errors import ControlError, Invalid, Missing, NotStored


@pytest.mark.parametrize("kind", [Invalid, Missing, NotStored])
def test_errors_have_a_reason(kind: type[ControlError]) -> None:
    error = kind("no such user 'x'")
    assert (error.reason, str(error)) == ("no such user 'x'", "no such user 'x'")
