"""`supersoniq refusals`."""

from tests.cli.conftest import Ask
from tests.cli.fake_node import FakeNode


def test_refusals_are_listed(node: FakeNode, ask: Ask) -> None:
    refusals = [
        {
            "time": "now",
            "reply_code": 406,
            "reply_text": "PRECONDITION_FAILED - x",
            "method_name": "queue.declare",
        },
        {"time": "before", "reply_code": 404, "reply_text": "NOT_FOUND - y", "user": "bob"},
    ]
    node.get("diagnostics/refusals", refusals)
    assert ask("refusals").out.splitlines()[1].endswith("queue.declare")
    assert [line.split()[0] for line in ask("refusals").out.splitlines()] == ["time", "now", "before"]
    assert ask("refusals", "-m", "^NOT").out.splitlines()[1].startswith("before   404  NOT_FOUND - y")
