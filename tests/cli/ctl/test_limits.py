"""rabbitmqctl's words for limits."""

import pytest
from tests.cli.ctl.conftest import Ctl
from tests.cli.fake_node import FakeNode


@pytest.fixture(autouse=True)
def known(node: FakeNode) -> None:
    node.get("vhosts/shop", {"name": "shop"})
    node.get("users/ann", {"name": "ann"})
    node.get("vhost-limits/shop", [{"vhost": "shop", "value": {"max-queues": 5, "max-connections": 2}}])
    node.get("user-limits/ann", [{"user": "ann", "value": {"max-channels": 9}}])
    for path in ("vhost-limits/shop", "user-limits/ann"):
        for limit in ("max-queues", "max-connections", "max-channels"):
            node.accepts("PUT", f"{path}/{limit}")
            node.accepts("DELETE", f"{path}/{limit}")


@pytest.mark.parametrize(
    ("tokens", "out", "changes"),
    [
        (
            ["set_vhost_limits", '{"max-queues":7}', "-p", "shop"],
            'Setting vhost limits to "{"max-queues":7}" for vhost "shop" ...\n',
            [
                ("PUT", "vhost-limits/shop/max-queues", {"value": 7}),
                ("DELETE", "vhost-limits/shop/max-connections", None),
            ],
        ),
        (
            ["clear_vhost_limits", "-p", "shop"],
            'Clearing vhost "shop" limits ...\n',
            [
                ("DELETE", "vhost-limits/shop/max-queues", None),
                ("DELETE", "vhost-limits/shop/max-connections", None),
            ],
        ),
        (
            ["set_user_limits", "ann", '{"max-connections":1}'],
            'Setting user limits to "{"max-connections":1}" for user "ann" ...\n',
            [("PUT", "user-limits/ann/max-connections", {"value": 1})],
        ),
        (
            ["clear_user_limits", "ann", "max-channels"],
            'Clearing "max-channels" limit for user "ann" ...\n',
            [("DELETE", "user-limits/ann/max-channels", None)],
        ),
        (
            ["clear_user_limits", "ann", "all"],
            'Clearing all limits for user "ann" ...\n',
            [("DELETE", "user-limits/ann/max-channels", None)],
        ),
    ],
)
def test_limits_are_changed(
    ctl: Ctl, node: FakeNode, tokens: list[str], out: str, changes: list[object]
) -> None:
    assert ctl(*tokens) == (0, out, "")
    assert node.changes() == changes


@pytest.mark.parametrize(
    ("tokens", "out"),
    [
        (["list_vhost_limits", "-p", "shop"], '{"max-connections":2,"max-queues":5}\n'),
        (
            ["list_vhost_limits", "-p", "shop", "--formatter", "json"],
            '{"node":"rabbit@here","result":"ok","value":"{\\"max-connections\\":2,\\"max-queues\\":5}"}\n',
        ),
        (["list_vhost_limits", "-p", "empty"], "\n"),
        (["list_vhost_limits", "-p", "empty", "--formatter", "json"], "[]\n"),
        (["list_vhost_limits", "--global"], 'vhost\tlimits\nshop\t{"max-queues":5}\n'),
        (["list_user_limits", "--user", "ann"], '{"max-channels":9}\n'),
        (
            ["list_user_limits", "--user", "ann", "--formatter", "json"],
            '{"message":"{\\"max-channels\\":9}"}\n',
        ),
        (["list_user_limits", "--global"], 'user\tlimits\nann\t{"max-channels":9}\n'),
    ],
)
def test_limits_are_listed(ctl: Ctl, node: FakeNode, tokens: list[str], out: str) -> None:
    node.get("vhosts/empty", {"name": "empty"})
    node.get("vhost-limits/empty", [])
    node.get("vhost-limits", [{"vhost": "shop", "value": {"max-queues": 5}}, {"vhost": "empty", "value": {}}])
    node.get("user-limits", [{"user": "ann", "value": {"max-channels": 9}}])
    assert ctl("-q", *tokens) == (0, out, "")


@pytest.mark.parametrize(
    ("tokens", "code", "err"),
    [
        (
            ["set_vhost_limits", "garbage", "-p", "shop"],
            69,
            "Error:\nJSON decoding error. Reason: badarg\n\n",
        ),
        (["set_vhost_limits", "{}", "-p", "no"], 65, "Virtual host 'no' does not exist\n\n"),
        (["clear_vhost_limits", "-p", "no"], 69, "Error:\nParameter does not exist\n\n"),
        (["set_user_limits", "gone", "{}"], 69, 'Error:\n{:no_such_user, "gone"}\n\n'),
        (["list_user_limits", "--user", "gone"], 69, 'Error:\n{:no_such_user, "gone"}\n\n'),
    ],
)
def test_error_is_that_of_rabbitmqctl(ctl: Ctl, tokens: list[str], code: int, err: str) -> None:
    said = ctl(*tokens)
    assert (said.code, said.err) == (code, err)
