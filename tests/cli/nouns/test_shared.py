"""Words that several nouns take."""

import sys
from collections.abc import Callable
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from supersoniq.cli.nouns.shared import json_of, object_of, pairs, password_of, read_file, with_vhost
from supersoniq.cli.remote.call import Failed, WrongUse


def test_pairs_are_json_where_they_can_be() -> None:
    assert pairs(["a=1", "b=true", "c=text", "d=[1]", "e=", "f=x=y", 'g="1"']) == {
        "a": 1, "b": True, "c": "text", "d": [1], "e": "", "f": "x=y", "g": "1",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["nothing", "=value", ""])
def test_pair_needs_a_name_and_a_value(text: str) -> None:
    with pytest.raises(WrongUse, match="expected name=value"):
        pairs([text])


@pytest.mark.parametrize(
    ("reader", "text", "error"),
    [(json_of, "{", "the value is not JSON: "), (object_of, "[]", "the value is not a JSON object")],
)
def test_text_that_has_to_be_json_is_refused(reader: Callable[..., Any], text: str, error: str) -> None:
    with pytest.raises(WrongUse, match=error):
        reader(text, "value")


def test_path_ends_with_the_virtual_host_if_one_is_meant() -> None:
    assert with_vhost("queues", vhost=None) == ["queues"]
    assert with_vhost("queues", vhost="/") == ["queues", "/"]


def test_password_is_what_was_given_or_the_first_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert password_of("ann", "given") == "given"
    monkeypatch.setattr(sys, "stdin", StringIO("from a file \nsecond line\n"))
    assert password_of("ann", None) == "from a file "


@pytest.mark.parametrize(("second", "is_same"), [("one", True), ("two", False)])
def test_password_is_asked_for_twice(second: str, is_same: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    typed = iter(["one", second])
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(typed))
    if is_same:
        assert password_of("ann", None) == "one"
    else:
        with pytest.raises(Failed, match="the passwords are not the same"):
            password_of("ann", None)


def test_file_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_bytes(b"\xff\n")
    assert read_file(str(tmp_path / "f")) == b"\xff\n"
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"piped")))
    assert read_file("-") == b"piped"
    with pytest.raises(Failed, match="gone cannot be read: no such file or directory"):
        read_file(str(tmp_path / "gone"))
