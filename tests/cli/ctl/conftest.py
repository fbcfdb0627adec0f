"""rabbitmqctl's words, asked of the fake node inside this process."""

from collections.abc import Callable

import pytest
from tests.cli.conftest import Said
from tests.cli.fake_node import FakeNode

from supersoniq.cli.ctl.running import run

Ctl = Callable[..., Said]
NODE = "rabbit@here"


@pytest.fixture
def ctl(node: FakeNode, capsys: pytest.CaptureFixture[str]) -> Ctl:
    """Run a command on the fake node: `ctl("list_queues")`; `tool` is another than rabbitmqctl."""
    node.get("overview", {"node": NODE, "rabbitmq_version": "3.13.7", "listeners": []})

    def called(*tokens: str, tool: str = "rabbitmqctl") -> Said:
        capsys.readouterr()
        code = run([*tokens, "--data-dir", str(node.directory)], tool, {})
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return called
