"""Names that operators choose: what they may be."""

from supersoniq.broker.definitions import SETTING_NAME_BYTES_MAX
from supersoniq.broker.validation import is_name
from supersoniq.control.errors import Invalid


def check_name(what: str, name: str) -> None:
    """Raise Invalid for an empty name, or one that AMQP could not say."""
    if not name:
        raise Invalid(f"the name of a {what} cannot be empty")
    check_length(what, name)


def check_length(what: str, name: str) -> None:
    """Raise Invalid for a name that AMQP could not say."""
    if not is_name(name):
        raise Invalid(f"the name of a {what} has at most {SETTING_NAME_BYTES_MAX} octets of UTF-8")
