"""One broker in a container, as the container tests see it."""

import json
import socket
import time
from dataclasses import dataclass
from typing import Any

import pika
from tests.container.engine import Engine

DEADLINE_SECONDS = 30


@dataclass
class Container:
    """A container with the host's network, so that its port is one of 127.0.0.1."""

    engine: Engine
    id: str
    port: int
    credentials: str = "guest:guest"
    vhost: str = "%2F"

    @property
    def url(self) -> str:
        return f"amqp://{self.credentials}@127.0.0.1:{self.port}/{self.vhost}"

    def connect(self) -> pika.BlockingConnection:
        """A client's connection, as soon as the broker listens."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not self.listens():
            assert time.monotonic() < deadline, self.log
            time.sleep(0.005)
        return pika.BlockingConnection(pika.URLParameters(self.url))

    def listens(self) -> bool:
        """True when the port takes a connection."""
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
        except ConnectionRefusedError:
            return False
        return True

    def execute(self, *words: str) -> str:
        """Standard output of a command inside the container."""
        return self.engine.run("exec", self.id, *words)

    @property
    def log(self) -> str:
        return self.engine.logs(self.id)

    @property
    def state(self) -> dict[str, Any]:
        return dict(json.loads(self.engine.run("inspect", "-f", "{{json .State}}", self.id)))

    @property
    def is_running(self) -> bool:
        return bool(self.state["Running"])

    @property
    def exit_code(self) -> int:
        return int(self.state["ExitCode"])

    @property
    def health(self) -> str:
        return str(self.state["Health"]["Status"])

    def wait_for_health(self, status: str) -> None:
        """Fails the test when the engine does not see the container as `status` in time."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while self.health != status:
            assert time.monotonic() < deadline, f"{self.state}\n{self.log}"
            time.sleep(0.1)

    def wait_stopped(self) -> None:
        """Fails the test when the container still runs after a while."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while self.is_running:
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)
