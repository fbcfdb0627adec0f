"""What is said of a virtual host."""

from supersoniq.control.records import VHostMetadata


def test_nothing_is_said_at_first() -> None:
    assert VHostMetadata() == ("", (), "", False)
