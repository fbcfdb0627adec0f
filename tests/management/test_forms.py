"""Forms: fields of a body."""

import pytest

from supersoniq.management.errors import ApiError
from supersoniq.management.forms import FIELDS_MAX, form_of


def test_fields_are_decoded() -> None:
    assert form_of(b"username=a%20b&password=c%26d+e&empty=") == {
        "username": "a b",
        "password": "c&d e",
        "empty": "",
    }


@pytest.mark.parametrize("data", [b"\xff", b"a=1&" * (FIELDS_MAX + 1)])
def test_what_is_no_form_is_refused(data: bytes) -> None:
    with pytest.raises(ApiError):
        form_of(data)
