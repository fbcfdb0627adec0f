"""The port has to be implemented whole."""

import pytest

from supersoniq.control.ports import NodeParts


def test_port_is_abstract() -> None:
    with pytest.raises(TypeError):
        NodeParts()  # type: ignore[abstract]  # it is the claim
