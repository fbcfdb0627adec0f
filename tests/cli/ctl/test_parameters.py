"""rabbitmqctl's words for runtime parameters."""

import pytest
from tests.cli.ctl.conftest import Ctl
from tests.cli.fake_node import FakeNode


@pytest.fixture(autouse=True)
def known(node: FakeNode) -> None:
    node.get("vhosts/shop", {"name": "shop"})
    node.get(
        "parameters",
        [{"component": "c", "vhost": vhost, "name": "n", "value": {"a": 1}} for vhost in ("/", "shop")],
    )
    node.get("global-parameters", [{"name": "g", "value": "text"}])
    for path in ("parameters/c/shop/n", "global-parameters/g"):
        node.accepts("PUT", path)
        node.accepts("DELETE", path)


@pytest.mark.parametrize(
    ("tokens", "out", "change"),
    [
        (
            ["set_parameter", "c", "n", '{"a":1}', "-p", "shop"],
            'Setting runtime parameter "n" for component "c" to "{"a":1}" in vhost "shop" ...\n',
            ("PUT", {"component": "c", "vhost": "shop", "name": "n", "value": {"a": 1}}),
        ),
        (
            ["clear_parameter", "c", "n", "-p", "shop"],
            'Clearing runtime parameter "n" for component "c" on vhost "shop" ...\n',
            ("DELETE", None),
        ),
        (
            ["set_global_parameter", "g", "5"],
            'Setting global runtime parameter "g" to "5" ...\n',
            ("PUT", {"name": "g", "value": 5}),
        ),
        (["clear_global_parameter", "g"], 'Clearing global runtime parameter "g" ...\n', ("DELETE", None)),
    ],
)
def test_parameter_is_changed(
    ctl: Ctl, node: FakeNode, tokens: list[str], out: str, change: tuple[str, object]
) -> None:
    assert ctl(*tokens) == (0, out, "")
    assert [(method, body) for method, _, body in node.changes()] == [change]


def test_parameters_are_listed(ctl: Ctl) -> None:
    assert ctl("-q", "list_parameters", "-p", "shop").out == 'component\tname\tvalue\nc\tn\t{"a":1}\n'
    assert ctl("-q", "list_global_parameters").out == 'name\tvalue\ng\t"text"\n'
    assert (
        ctl("list_global_parameters", "--formatter", "json").out
        == '[\n{"name":"g","value":"\\"text\\""}\n]\n'
    )


@pytest.mark.parametrize(
    ("tokens", "code", "err"),
    [
        (
            ["set_parameter", "policy", "n", "{}", "-p", "shop"],
            69,
            "Error:\npolicies may not be set using this method\n\n",
        ),
        (
            ["set_parameter", "c", "n", "{", "-p", "shop"],
            69,
            "Error:\nJSON decoding error. Reason: badarg\n\n",
        ),
        (["set_global_parameter", "g", "{"], 69, "Error:\nJSON decoding error. Reason: badarg\n\n"),
        (["clear_parameter", "c", "x"], 69, "Error:\nParameter does not exist\n\n"),
        (["clear_global_parameter", "x"], 69, "Error:\nParameter does not exist\n\n"),
        (["list_parameters", "-p", "no"], 65, "Virtual host 'no' does not exist\n\n"),
    ],
)
def test_error_is_that_of_rabbitmqctl(ctl: Ctl, tokens: list[str], code: int, err: str) -> None:
    said = ctl(*tokens)
    assert (said.code, said.err) == (code, err)
