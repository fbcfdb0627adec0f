"""Names that AMQP can say."""

import pytest

from supersoniq.control.errors import Invalid
from supersoniq.control.names import check_length, check_name


def test_names_up_to_255_octets_are_fine() -> None:
    check_name("user", "ü" * 127)
    check_length("exchange", "")


@pytest.mark.parametrize("name", ["", "ü" * 128, "x" * 256, "\ud800"])
def test_others_are_not(name: str) -> None:
    with pytest.raises(Invalid, match="name of a user"):
        check_name("user", name)
