"""The port through which the API changes the running node."""

import pytest

from supersoniq.management.control import NodeControl, Uncontrolled


def test_control_is_a_port() -> None:
    with pytest.raises(TypeError):
        NodeControl()  # type: ignore[abstract]
    assert str(Uncontrolled("whose")) == "whose"
