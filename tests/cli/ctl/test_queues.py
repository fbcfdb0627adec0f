"""rabbitmq-queues' words."""

import pytest
from tests.cli.ctl.conftest import NODE, Ctl
from tests.cli.fake_node import FakeNode

TOOL = "rabbitmq-queues"


def test_message_is_shown_by_its_position(ctl: Ctl, node: FakeNode) -> None:
    message = {"exchange": "x", "routing_key": "k", "payload": "hello"}
    pages = iter([{"after": 1000, "messages": [{}] * 1000}, {"after": 1002, "messages": [{}, message]}])
    node.answers["GET", "queues///q/messages"] = lambda asked: (200, next(pages))
    said = ctl("-q", "peek", "q", "1002", tool=TOOL)
    assert said.out == "keys\tvalues\nexchange\tx\nrouting_key\tk\npayload\thello\n"
    assert node.asked[-1].query == "after=1000&limit=2"


@pytest.mark.parametrize(
    ("tokens", "code", "text"),
    [
        (["peek", "gone", "1"], 69, "Error:\nnot_found\n"),
        (["peek", "empty", "1"], 69, "Error:\nTarget queue does not have a message at that position\n"),
        (["peek", "empty", "0"], 64, "position should be a number from 1 on"),
        (["quorum_status", "gone"], 69, "Error:\nnot_found\n"),
        (["quorum_status", "classic"], 64, "Error:\nCannot get quorum status of a classic queue\n"),
    ],
)
def test_error_is_told(ctl: Ctl, node: FakeNode, tokens: list[str], code: int, text: str) -> None:
    node.get("queues///empty/messages", {"after": 0, "messages": []})
    node.get("queues///classic", {"type": "classic"})
    said = ctl(*tokens, tool=TOOL)
    assert said.code == code
    assert text in said.err


def test_one_node_is_no_quorum(ctl: Ctl, node: FakeNode) -> None:
    node.get("queues///q", {"type": "quorum"})
    assert ctl("-q", "quorum_status", "q", tool=TOOL).out == f"Node Name\tRaft State\n{NODE}\tleader\n"
    assert ctl("-q", "check_if_node_is_quorum_critical", tool=TOOL).code == 0
    assert ctl("rebalance", "all", tool=TOOL).code == 0
