"""Names are 22 characters of URL-safe base64, and never the same."""

import re

from supersoniq.server.names import RandomNames


def test_names_look_as_promised_and_differ() -> None:
    names = RandomNames()
    drawn = {names.unique() for _ in range(1000)}
    assert len(drawn) == 1000
    assert all([re.fullmatch(rb"[A-Za-z0-9_-]{22}", name) for name in drawn])


def test_two_makers_of_names_differ() -> None:
    assert RandomNames().unique() != RandomNames().unique()
