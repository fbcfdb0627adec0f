"""What the container tests share: one engine, one image, and containers that are removed after each test."""

import uuid
from collections.abc import Callable, Iterator

import pytest
from tests.container.broker import Container
from tests.container.engine import Engine, found_or_started
from tests.container.images import broker_image

Start = Callable[..., Container]


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The Docker engine that runs here, or one that lives as long as the tests."""
    running = found_or_started()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def image(engine: Engine) -> str:
    """The Dockerfile, built."""
    return broker_image(engine)


@pytest.fixture
def volume(engine: Engine) -> Iterator[str]:
    """An empty named volume."""
    name = f"supersoniq-test-{uuid.uuid4().hex[:8]}"
    engine.run("volume", "create", name)
    yield name
    engine.run("volume", "rm", "-f", name)


@pytest.fixture
def start(engine: Engine, image: str, free_port: int, volume: str) -> Iterator[Start]:
    """Start brokers, as in `start("--read-only", env={"SUPERSONIQ_SYNC": "never"})`; removed at the end."""
    names: list[str] = []

    def run(*options: str, env: dict[str, str] | None = None, command: tuple[str, ...] = ()) -> Container:
        names.append(f"supersoniq-test-{uuid.uuid4().hex[:8]}")
        others = {"SUPERSONIQ_MANAGEMENT_PORT": "0", "SUPERSONIQ_PROMETHEUS_PORT": "0"}
        own = {"SUPERSONIQ_PORT": str(free_port), "SUPERSONIQ_HOST": "127.0.0.1"}
        variables = own | others | (env or {})
        given = [text for name, value in variables.items() for text in ("-e", f"{name}={value}")]
        engine.run("run", "-d", "--network", "host", "--name", names[-1], *given, *options, image, *command)
        return Container(engine, names[-1], free_port)

    yield run
    for name in names:
        engine.run("rm", "-f", "-v", name)
