"""`supersoniq channels`."""

import pytest
from tests.cli.conftest import Ask
from tests.cli.fake_node import FakeNode


@pytest.mark.parametrize(("words", "path"), [([], "channels"), (["-p", "shop"], "vhosts/shop/channels")])
def test_channels_are_listed(node: FakeNode, ask: Ask, words: list[str], path: str) -> None:
    node.get(path, {"items": [{"name": "c (1)", "user": "ann", "prefetch_count": 5}], "page_count": 1})
    assert ask("channels", *words).out.splitlines()[1].split() == ["c", "(1)", "ann", "5"]


def test_channel_is_shown(node: FakeNode, ask: Ask) -> None:
    node.get("channels/c -> s (1)", {"name": "c -> s (1)"})
    assert ask("channels", "show", "c -> s (1)").out == "name  c -> s (1)\n"
    assert ask("channels", "show", "x") == (1, "", "supersoniq: no channel 'x'\n")
