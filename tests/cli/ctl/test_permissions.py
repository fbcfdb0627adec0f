"""rabbitmqctl's words for permissions."""

import pytest
from tests.cli.ctl.conftest import Ctl
from tests.cli.fake_node import FakeNode

ROW = {"user": "ann", "vhost": "shop", "configure": ".*", "write": "", "read": "^a"}
TOPIC_ROW = {"user": "ann", "vhost": "shop", "exchange": "x", "write": "^a", "read": "^b"}


@pytest.fixture(autouse=True)
def known(node: FakeNode) -> None:
    node.get("users/ann", {"name": "ann"})
    node.get("vhosts/shop", {"name": "shop"})
    for path in ("permissions/shop/ann", "topic-permissions/shop/ann", "topic-permissions/shop/ann/x"):
        node.accepts("PUT", path)
        node.accepts("DELETE", path)


@pytest.mark.parametrize(
    ("tokens", "out", "change"),
    [
        (
            ["set_permissions", "ann", ".*", "", "^a"],
            'Setting permissions for user "ann" in vhost "shop" ...\n',
            ("PUT", "permissions/shop/ann", {"configure": ".*", "write": "", "read": "^a"}),
        ),
        (
            ["clear_permissions", "ann"],
            'Clearing permissions for user "ann" in vhost "shop" ...\n',
            ("DELETE", "permissions/shop/ann", None),
        ),
        (
            ["set_topic_permissions", "ann", "x", "^a", "^b"],
            'Setting topic permissions on "x" for user "ann" in vhost "shop" ...\n',
            ("PUT", "topic-permissions/shop/ann", {"exchange": "x", "write": "^a", "read": "^b"}),
        ),
        (
            ["clear_topic_permissions", "ann"],
            'Clearing topic permissions for user "ann" in vhost "shop" ...\n',
            ("DELETE", "topic-permissions/shop/ann", None),
        ),
        (
            ["clear_topic_permissions", "ann", "x"],
            'Clearing topic permissions on "x" for user "ann" in vhost "shop" ...\n',
            ("DELETE", "topic-permissions/shop/ann/x", None),
        ),
    ],
)
def test_permissions_are_changed(
    ctl: Ctl, node: FakeNode, tokens: list[str], out: str, change: tuple[str, str, object]
) -> None:
    assert ctl(*tokens, "-p", "shop") == (0, out, "")
    assert node.changes() == [change]


@pytest.mark.parametrize(
    ("tokens", "code", "err"),
    [
        (["set_permissions", "gone", "", "", "", "-p", "shop"], 67, "Error:\nUser gone does not exist\n\n"),
        (
            ["set_permissions", "ann", "", "", "", "-p", "no"],
            69,
            "Error:\nVirtual host no does not exist\n\n",
        ),
        (["clear_permissions", "gone", "-p", "shop"], 67, "Error:\nUser gone does not exist\n\n"),
        (["clear_topic_permissions", "gone", "-p", "shop"], 67, "Error:\nUser gone does not exist\n\n"),
        (["list_permissions", "-p", "no"], 65, "Virtual host 'no' does not exist\n\n"),
        (["list_user_permissions", "gone"], 69, 'Error:\n{:no_such_user, "gone"}\n\n'),
        (["list_user_topic_permissions", "gone"], 69, 'Error:\n{:no_such_user, "gone"}\n\n'),
    ],
)
def test_error_is_that_of_rabbitmqctl(ctl: Ctl, tokens: list[str], code: int, err: str) -> None:
    said = ctl(*tokens)
    assert (said.code, said.err) == (code, err)


def test_what_is_cleared_twice_is_no_error(ctl: Ctl, node: FakeNode) -> None:
    del node.answers["DELETE", "permissions/shop/ann"]
    assert ctl("clear_permissions", "ann", "-p", "shop").code == 0


@pytest.mark.parametrize(
    ("tokens", "path", "row", "lines"),
    [
        (
            ["list_permissions", "-p", "shop"],
            "vhosts/shop/permissions",
            ROW,
            ["user\tconfigure\twrite\tread", "ann\t.*\t\t^a"],
        ),
        (
            ["list_user_permissions", "ann"],
            "users/ann/permissions",
            ROW,
            ["vhost\tconfigure\twrite\tread", "shop\t.*\t\t^a"],
        ),
        (
            ["list_topic_permissions", "-p", "shop"],
            "vhosts/shop/topic-permissions",
            TOPIC_ROW,
            ["user\texchange\twrite\tread", "ann\tx\t^a\t^b"],
        ),
        (
            ["list_user_topic_permissions", "ann"],
            "users/ann/topic-permissions",
            TOPIC_ROW,
            ["shop\tx\t^a\t^b"],
        ),
    ],
)
def test_permissions_are_listed(
    ctl: Ctl, node: FakeNode, tokens: list[str], path: str, row: object, lines: list[str]
) -> None:
    node.get(path, [row])
    assert ctl("-q", *tokens).out.splitlines() == lines
