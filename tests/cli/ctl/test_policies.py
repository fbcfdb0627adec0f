"""rabbitmqctl's words for policies."""

import pytest
from tests.cli.ctl.conftest import Ctl
from tests.cli.fake_node import FakeNode

POLICY = {
    "vhost": "shop",
    "name": "p",
    "pattern": "^a",
    "apply-to": "queues",
    "definition": {"max-length": 5},
    "priority": 3,
}
KINDS = [
    ("policy", "policies", "policy", "policies"),
    ("operator_policy", "operator-policies", "operator policy override", "operator policy overrides"),
]


@pytest.fixture(autouse=True)
def known(node: FakeNode) -> None:
    node.get("vhosts/shop", {"name": "shop"})


@pytest.mark.parametrize(("word", "path", "noun", "plural"), KINDS)
def test_policy_is_set_listed_and_cleared(
    ctl: Ctl, node: FakeNode, word: str, path: str, noun: str, plural: str
) -> None:
    node.accepts("PUT", f"{path}/shop/p")
    node.accepts("DELETE", f"{path}/shop/p")
    node.get(f"{path}/shop", [POLICY])
    tokens = ["p", "^a", '{"max-length":5}', "--priority", "3", "--apply-to", "queues", "-p", "shop"]
    assert ctl(f"set_{word}", *tokens).out == (
        f'Setting {noun} "p" for pattern "^a" to "{{"max-length":5}}" with priority "3" '
        'for vhost "shop" ...\n'
    )
    body = {"pattern": "^a", "definition": {"max-length": 5}, "priority": 3, "apply-to": "queues"}
    assert node.changes() == [("PUT", f"{path}/shop/p", body)]
    listed = f"list_{word.removesuffix('policy')}policies"
    assert ctl(listed, "-p", "shop").out == (
        f'Listing {plural} for vhost "shop" ...\n'
        "vhost\tname\tpattern\tapply-to\tdefinition\tpriority\n"
        'shop\tp\t^a\tqueues\t{"max-length":5}\t3\n'
    )
    assert ctl(f"clear_{word}", "p", "-p", "shop").code == 0


@pytest.mark.parametrize(
    ("tokens", "code", "err"),
    [
        (
            ["set_policy", "p", "", "garbage", "-p", "shop"],
            69,
            "Error:\nJSON decoding error. Reason: badarg\n\n",
        ),
        (["set_policy", "p", "", "{}", "-p", "no"], 65, "Virtual host 'no' does not exist\n\n"),
        (["clear_policy", "p", "-p", "shop"], 69, "Error:\nParameter does not exist\n\n"),
        (["clear_operator_policy", "p", "-p", "shop"], 69, "Error:\nParameter does not exist\n\n"),
        (["list_policies", "-p", "no"], 65, "Virtual host 'no' does not exist\n\n"),
    ],
)
def test_error_is_that_of_rabbitmqctl(ctl: Ctl, tokens: list[str], code: int, err: str) -> None:
    said = ctl(*tokens)
    assert (said.code, said.err) == (code, err)


def test_definition_that_is_refused_has_the_reason_of_the_node(ctl: Ctl, node: FakeNode) -> None:
    reason = 'Validation failed\n\n[{&lt;&lt;"bogus"&gt;&gt;,5}] are not recognised policy settings\n'
    node.answers["PUT", "policies/shop/p"] = 400, {"error": "bad_request", "reason": reason}
    said = ctl("set_policy", "p", "", '{"bogus":5}', "-p", "shop")
    assert said.err.startswith('Error:\nValidation failed\n\n[{<<"bogus">>,5}] are not recognised policy ')


def test_definition_is_a_text_in_json(ctl: Ctl, node: FakeNode) -> None:
    node.get("policies/shop", [POLICY])
    out = ctl("list_policies", "-p", "shop", "--formatter", "json").out
    assert '"definition":"{\\"max-length\\":5}"' in out
