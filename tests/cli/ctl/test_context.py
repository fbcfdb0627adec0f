"""The ways in which rabbitmqctl answers."""

from typing import Any

import pytest
from tests.cli.fake_node import FakeNode

from supersoniq.cli.ctl.context import Ctl, CtlError
from supersoniq.cli.ctl.line import Line


def ctl_of(fake: FakeNode | None = None, **options: object) -> Ctl:
    given = dict(options) if fake is None else {"data_dir": str(fake.directory), **options}
    return Ctl("rabbitmqctl", Line("word", [], given, []), {})


@pytest.mark.parametrize(
    ("options", "is_streamed", "out"),
    [
        ({}, False, "\n"),
        ({}, True, ""),
        ({"formatter": "json"}, False, "[]\n"),
        ({"formatter": "json"}, True, "[\n]\n"),
        ({"formatter": "csv"}, False, "\n\n\n"),
        ({"formatter": "csv"}, True, ""),
    ],
)
def test_empty_table_is_written_as_there(
    options: dict[str, Any], is_streamed: bool, out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ctl_of(**options).rows(["a"], [], is_streamed)
    assert capsys.readouterr().out == out


def test_result_without_words_is_silent_but_in_json(
    node: FakeNode, capsys: pytest.CaptureFixture[str]
) -> None:
    node.get("overview", {"node": "rabbit@here"})
    ctl_of(node).ok()
    assert capsys.readouterr().out == ""
    ctl_of(node, formatter="json").ok()
    assert capsys.readouterr().out == '{"node":"rabbit@here","result":"ok"}\n'


def test_message_is_a_line_or_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    ctl_of().message("Success")
    ctl_of(formatter="json").message("Success")
    ctl_of(formatter="json").message("Success", status="ok")
    assert capsys.readouterr().out == 'Success\n{"message":"Success"}\n{"status":"ok"}\n'


def test_node_is_named_as_given_or_as_it_names_itself(node: FakeNode) -> None:
    node.get("overview", {"node": "rabbit@here"})
    assert ctl_of(node, node="rabbit@there").node == "rabbit@there"
    assert ctl_of(node).node == "rabbit@here"


def test_missing_virtual_host_has_its_own_exit_code(node: FakeNode) -> None:
    with pytest.raises(CtlError, match=r"^Virtual host 'no' does not exist\n$") as raised:
        ctl_of(node, vhost="no").need_vhost()
    assert raised.value.exit_code == 65
