"""`supersoniq consumers`."""

import pytest
from tests.cli.conftest import Ask
from tests.cli.fake_node import FakeNode


@pytest.mark.parametrize(("words", "path"), [([], "consumers"), (["-p", "/", "-m", "^or"], "consumers//")])
def test_consumers_are_listed(node: FakeNode, ask: Ask, words: list[str], path: str) -> None:
    item = {
        "queue": {"name": "orders", "vhost": "/"},
        "channel_details": {"name": "c (1)", "user": "ann"},
        "consumer_tag": "tag",
        "ack_required": True,
        "active": True,
        "prefetch_count": 5,
        "arguments": {},
    }
    node.get(path, [item])
    row = ["orders", "/", "tag", "c", "(1)", "ann", "yes", "5", "yes"]
    assert ask("consumers", *words).out.splitlines()[1].split() == row
