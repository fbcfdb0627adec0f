"""Regular expressions of requests: those that take for ever are stopped."""

import pytest

from supersoniq.management import patterns
from supersoniq.management.errors import ApiError
from supersoniq.management.patterns import Pattern


def test_pattern_matches_anywhere_unless_it_says_where() -> None:
    assert Pattern("b", "").matches("abc")
    assert not Pattern("^b", "").matches("abc")


@pytest.mark.parametrize("pattern", ["(", "*", "[", "a{99999999999}", "(?P<", "\\"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ApiError) as raised:
        Pattern(pattern, "no pattern")
    assert raised.value.reason == "no pattern"


def test_pattern_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "SECONDS_MAX", 0.0)
    pattern = Pattern("(a|aa|aaa)+(b|bb)+c?d*e", "")
    with pytest.raises(ApiError, match="takes too long"):
        pattern.matches("a" * 250 + "b" * 5)
