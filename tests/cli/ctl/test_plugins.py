"""rabbitmq-plugins' words."""

import json

import pytest
from tests.cli.ctl.conftest import NODE, Ctl

TOOL = "rabbitmq-plugins"


def test_what_is_built_in_is_listed_as_enabled(ctl: Ctl) -> None:
    lines = ctl("list", tool=TOOL).out.splitlines()
    assert lines[0] == 'Listing plugins with pattern ".*" ...'
    assert "[E*] rabbitmq_management               3.13.7" in lines
    assert ctl("-q", "list", "-m", "_management$", tool=TOOL).out == "rabbitmq_management\n"
    plugins = json.loads(ctl("list", "prometheus", "--formatter", "json", tool=TOOL).out)["plugins"]
    assert plugins == [
        {"enabled": "enabled", "name": "rabbitmq_prometheus", "running": True, "version": "3.13.7"}
    ]


@pytest.mark.parametrize(
    ("tokens", "out"),
    [
        (["enable", "rabbitmq_management"], "Nothing needs to be enabled: they are built in\n"),
        (["enable", "--offline", "rabbitmq_prometheus"], "Nothing needs to be enabled: they are built in\n"),
        (["disable", "--all"], "Nothing is disabled: what plugins do elsewhere is built in\n"),
        (["set"], "Nothing is disabled: what plugins do elsewhere is built in\n"),
        (["is_enabled", "rabbitmq_sharding"], f"Plugin rabbitmq_sharding is enabled on node {NODE}\n"),
        (["directories"], "There are no plugins, and no directories for them\n"),
    ],
)
def test_nothing_needs_to_be_done(ctl: Ctl, tokens: list[str], out: str) -> None:
    assert ctl("-q", *tokens, tool=TOOL) == (0, out, "")


def test_plugin_that_is_not_there_is_exit_code_69(ctl: Ctl) -> None:
    assert ctl("enable", "rabbitmq_mqtt", tool=TOOL).err == (
        "Error:\nPlugins are not available here: rabbitmq_mqtt\n\n"
    )
    said = ctl("-q", "is_enabled", "rabbitmq_mqtt", tool=TOOL)
    assert said.code == 69
    assert said.err.startswith(
        f"Error:\nPlugin rabbitmq_mqtt is not enabled on node {NODE}. Enabled plugins "
    )
