"""A fake node, and commands that ask it, inside this process."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.cli.fake_node import FakeNode

from supersoniq.cli.remote.running import run


class Said(NamedTuple):
    """What a command printed, and its exit code; None when typer would have had to answer."""

    code: int | None
    out: str
    err: str


Ask = Callable[..., Said]


@pytest.fixture
def node(tmp_path: Path) -> Iterator[FakeNode]:
    fake = FakeNode(tmp_path)
    yield fake
    fake.close()


@pytest.fixture
def ask(node: FakeNode, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run a command on the fake node: `ask("queues", "list")`."""

    def asked(*tokens: str) -> Said:
        capsys.readouterr()
        code = run([*tokens, "--data-dir", str(node.directory)], {})
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return asked
