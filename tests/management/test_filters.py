"""Filters: which messages are meant."""

import pytest
from tests.fakes import message

from supersoniq.management.errors import ApiError
from supersoniq.management.filters import Filter


@pytest.mark.parametrize(
    ("query", "takes"),
    [
        ({}, True),
        ({"routing_key": "k"}, True),
        ({"routing_key": "x"}, False),
        ({"exchange": "e"}, True),
        ({"exchange": ""}, False),
        ({"text": "od"}, True),
        ({"text": "x"}, False),
        ({"older_than_ms": "10"}, True),
        ({"older_than_ms": 11}, False),
        ({"header": "h"}, False),
    ],
)
def test_all_that_is_said_has_to_hold(query: dict[str, object], takes: bool) -> None:
    assert Filter(query).takes(message(b"body", b"e", b"key"), 10) is takes


@pytest.mark.parametrize("query", [{"text": 5}, {"older_than_ms": "x"}, {"older_than_ms": -1}])
def test_what_makes_no_sense_is_refused(query: dict[str, object]) -> None:
    with pytest.raises(ApiError):
        Filter(query)
