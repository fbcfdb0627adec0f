"""The actor is a name and an address."""

from supersoniq.control.actor import NODE, Actor


def test_address_may_be_left_out() -> None:
    assert Actor("guest") == ("guest", "")
    assert NODE.name == "rmq-internal"
