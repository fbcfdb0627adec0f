"""No password is left in a value."""

import pytest

from supersoniq.audit.masking import masked


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("amqp://ann:p%40ss@host:5672/v", "amqp://ann:****@host:5672/v"),
        ("amqps://:x@host amqp://a:b@c", "amqps://:****@host amqp://a:****@c"),
        ("amqp://host:5672/v", "amqp://host:5672/v"),
        ("amqp://ann@host", "amqp://ann@host"),
        (["amqp://a:b@c"], ["amqp://a:****@c"]),
        ({"uri": "amqp://a:b@c", "n": 1}, {"uri": "amqp://a:****@c", "n": 1}),
        ({"password_hash": "x", "Client-Secret": ["y"]}, {"password_hash": "****", "Client-Secret": "****"}),
        (None, None),
    ],
)
def test_passwords_are_masked(value: object, shown: object) -> None:
    assert masked(value) == shown
