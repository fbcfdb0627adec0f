"""rabbitmqctl's words for virtual hosts."""

import pytest
from tests.cli.ctl.conftest import Ctl
from tests.cli.fake_node import FakeNode

MISSING = "Virtual host 'gone' does not exist\n\n"


@pytest.fixture(autouse=True)
def known(node: FakeNode) -> None:
    node.get("vhosts", [{"name": "/", "tracing": False, "tags": []}, {"name": "shop", "tags": "a,b"}])
    node.get("vhosts/shop", {"name": "shop"})
    for method in ("PUT", "DELETE"):
        node.accepts(method, "vhosts/shop")


@pytest.mark.parametrize(
    ("tokens", "out", "change"),
    [
        (["add_vhost", "shop"], 'Adding vhost "shop" ...\n', ("PUT", {})),
        (
            [
                "-q",
                "add_vhost",
                "shop",
                "--description",
                "d",
                "--tags",
                "a,b",
                "--default-queue-type",
                "quorum",
            ],
            "",
            ("PUT", {"description": "d", "tags": "a,b", "default_queue_type": "quorum"}),
        ),
        (["-q", "update_vhost_metadata", "shop", "--tags", "a"], "", ("PUT", {"tags": "a"})),
        (
            ["set_vhost_tags", "shop", "a", "b"],
            'Setting tags for virtual host "shop" to [a, b] ...\n',
            ("PUT", {"tags": "a,b"}),
        ),
        (["delete_vhost", "shop"], 'Deleting vhost "shop" ...\n', ("DELETE", None)),
        (
            ["trace_on", "-p", "shop"],
            'Starting tracing for vhost "shop" ...\nTrace enabled for vhost shop\n',
            ("PUT", {"tracing": True}),
        ),
        (
            ["trace_off", "-p", "shop"],
            'Stopping tracing for vhost "shop" ...\nTrace disabled for vhost shop\n',
            ("PUT", {"tracing": False}),
        ),
    ],
)
def test_virtual_host_is_changed(
    ctl: Ctl, node: FakeNode, tokens: list[str], out: str, change: tuple[str, object]
) -> None:
    assert ctl(*tokens) == (0, out, "")
    assert [(method, body) for method, _, body in node.changes()] == [change]


@pytest.mark.parametrize(
    "tokens",
    [
        ["delete_vhost", "gone"],
        ["set_vhost_tags", "gone", "a"],
        ["update_vhost_metadata", "gone"],
        ["trace_on", "-p", "gone"],
        ["restart_vhost", "-p", "gone"],
    ],
)
def test_missing_virtual_host_is_exit_code_65(ctl: Ctl, tokens: list[str]) -> None:
    said = ctl(*tokens)
    assert (said.code, said.err) == (65, MISSING)


def test_virtual_hosts_are_listed(ctl: Ctl) -> None:
    assert ctl("list_vhosts").out == "Listing vhosts ...\nname\n/\nshop\n"
    assert ctl("-s", "list_vhosts", "name", "tags").out == "/\t[]\nshop\t[a, b]\n"
    assert ctl("list_vhosts", "bogus").code == 64


def test_restart_has_nothing_to_do(ctl: Ctl) -> None:
    assert ctl("restart_vhost", "-p", "shop").out.splitlines()[1] == (
        "Vhost 'shop' is already running on node 'rabbit@here'"
    )
