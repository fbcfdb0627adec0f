"""Patterns find what `re` finds, and none of them takes for ever."""

import logging
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supersoniq.patterns import Pattern, may_take_long

# Some of these take time that is exponential in the length of the name.
SLOW = [
    "(a+)+$",
    "(a|a)*b",
    "(a*)*b",
    "([a-z]+)*1",
    "(.*a){25}",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(?:a|aa){2,}$",
]
QUICK = [
    "",
    ".*",
    "^$",
    r"^foo\..*$",
    "^(a|b)$",
    r"[*+]{3}[)*]+",
    r"\)*",
    r"^(?!amq\.).*",
    "(?:ab)?c",
    "a{3}b",
]
QUICK += ["[]*]x*", "[^]*+]+"]


@pytest.mark.parametrize("pattern", SLOW)
def test_what_may_take_long_is_known(pattern: str) -> None:
    assert may_take_long(pattern)
    assert may_take_long(pattern.encode())


@pytest.mark.parametrize("pattern", QUICK)
def test_what_is_quick_is_left_to_the_standard_library(pattern: str) -> None:
    assert not may_take_long(pattern)


@pytest.mark.parametrize("pattern", SLOW)
@pytest.mark.parametrize("name", ["a" * 254 + "!", "a" * 255, "!" * 255])
def test_no_name_takes_long(pattern: str, name: str) -> None:
    expression = Pattern(pattern)
    began = time.thread_time()
    expression.found_in(name)
    Pattern(pattern.encode()).found_in(name.encode())
    assert time.thread_time() - began < 1


def test_a_name_that_takes_too_long_does_not_match_and_the_log_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pattern = Pattern("^(a|b|ab)*[cd]$")
    with caplog.at_level(logging.WARNING):
        assert not pattern.found_in("ab" * 100 + "!")
        assert not pattern.found_in("ab" * 100 + "!")
    assert pattern.found_in("abc")
    assert len(caplog.records) == 1
    assert "pattern '^(a|b|ab)*[cd]$' takes too long for names such as 'abab" in caplog.messages[0]


@given(
    st.lists(
        st.sampled_from(["a", "b", ".", "(", ")", "*", "+", "?", "|", "^", "$", "[ab]", "{1,3}"]), max_size=8
    ),
    st.text("ab.", max_size=6),
)
def test_it_finds_what_re_finds(parts: list[str], name: str) -> None:
    pattern = "".join(parts)
    try:
        expected = re.compile(pattern)
    except re.error:
        with pytest.raises(re.error):
            Pattern(pattern)
        return
    assert Pattern(pattern).found_in(name) == (expected.search(name) is not None)
    octets = Pattern(pattern.encode())
    assert octets.found_in(name.encode()) == (expected.search(name) is not None)
