"""Columns that are asked for."""

import pytest

from supersoniq.cli.ctl.columns import checked
from supersoniq.cli.ctl.context import WrongLine


def test_columns_are_separated_by_spaces_or_commas() -> None:
    assert checked(["a", "b,c", "a"], ["a", "b", "c"]) == ["a", "b", "c", "a"]


def test_unknown_ones_are_told_together() -> None:
    with pytest.raises(WrongLine, match=r"Info key\(s\) x,y are not supported"):
        checked(["y", "a", "x"], ["a"])
