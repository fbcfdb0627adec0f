"""Routes: who may ask."""

from supersoniq.management.routes import Level


def test_levels_include_the_ones_below() -> None:
    assert Level.ANYBODY < Level.MANAGEMENT < Level.POLICYMAKER < Level.MONITORING < Level.ADMINISTRATOR
