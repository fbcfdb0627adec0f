"""What the fault tests share: a node on a directory of its own, its clients, and stories across restarts."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.nodes import Node
from tests.faults.restarts import Clients, Telling


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A node that is not started yet; what runs at the end is killed."""
    made = Node(tmp_path)
    yield made
    made.close()


@pytest.fixture
def clients(node: Node) -> Iterator[Clients]:
    """Clients of the node; what they have open at the end is closed."""
    made = Clients(node, "q")
    yield made
    made.forget()


@pytest.fixture(scope="module", params=[signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def telling(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Telling]:
    """The stories of the module's selected tests, told to their ends."""
    tests = [item.function for item in request.session.items if isinstance(item, pytest.Function)]
    scenarios = {
        test.scenario: None
        for test in tests
        if hasattr(test, "scenario") and test.scenario.__module__ == request.module.__name__
    }
    node = Node(tmp_path_factory.mktemp("telling"), vhosts="/,other")
    try:
        yield Telling(node, list(scenarios), request.param)
    finally:
        node.close()
