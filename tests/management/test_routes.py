"""Routes: who may ask."""

import pytest

from supersoniq.management.routes import Level


@pytest.mark.parametrize(
    ("level", "allowed"),
    [
        (Level.MANAGEMENT, {"management", "policymaker", "monitoring", "administrator"}),
        (Level.POLICYMAKER, {"policymaker", "administrator"}),
        (Level.MONITORING, {"monitoring", "administrator"}),
        (Level.ADMINISTRATOR, {"administrator"}),
    ],
)
def test_tags_open_what_is_theirs(level: Level, allowed: set[str]) -> None:
    tags = {"management", "policymaker", "monitoring", "administrator", "impersonator", "own"}
    assert {tag for tag in tags if level.allows(frozenset({tag}))} == allowed
