"""The constants say what the specification says, as an independent codec has written it down."""

import pytest
from tests.conformance.codec import IDS, PROPERTY_FIELDS

from supersoniq.amqp import spec
from supersoniq.amqp.properties import FLAG_ORDER

METHODS = {name.upper().replace(".", "_"): ids for name, ids in IDS.items()}


@pytest.mark.parametrize("name", sorted(METHODS))
def test_method_has_the_number_of_the_specification(name: str) -> None:
    class_id, method_id = METHODS[name]
    number = class_id << 16 | method_id
    assert getattr(spec, name) == number


def test_every_method_number_is_in_the_specification() -> None:
    # No mechanism of ours asks a second question, so the codec of the tests knows no Secure.
    secure = {"CONNECTION_SECURE", "CONNECTION_SECURE_OK"}
    numbers = {name for name, value in vars(spec).items() if isinstance(value, int) and value > 0xFFFF}
    assert numbers - secure == set(METHODS)


def test_property_flags_stand_in_wire_order_from_the_highest_bit() -> None:
    flags = [getattr(spec, f"FLAG_{name.upper()}") for name, _ in PROPERTY_FIELDS]
    assert flags == [1 << (15 - place) for place in range(14)]
    assert flags == list(FLAG_ORDER)


def test_header_is_that_of_0_9_1() -> None:
    assert spec.PROTOCOL_HEADER == b"AMQP\x00\x00\x09\x01"
