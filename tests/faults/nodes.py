"""A broker process that is stopped or killed, and started again on its data directory."""

import os
import signal
from pathlib import Path
from typing import Self

from tests.conformance.wire import Wire
from tests.conftest import Process

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Node:
    """One data directory and the process that serves it; `settings` are those of `supersoniq config`.

    Clients that a test leaves open get a short time when the node stops.
    """

    def __init__(self, home: Path, **settings: str) -> None:
        self.directory = home / "node"
        self.directory.mkdir(exist_ok=True)
        self.settings = {"shutdown_grace_ms": "100", **settings}
        self._home = home
        self._process: Process | None = None

    @property
    def process(self) -> Process:
        """The one that was started last."""
        assert self._process is not None
        return self._process

    @property
    def url(self) -> str:
        """Of the process that runs now: the port changes with each start."""
        return self.process.url

    def launch(self, **settings: str) -> Process:
        """Start a process and do not wait for it; `settings` hold for later starts too."""
        self.settings.update(settings)
        environ = {name: text for name, text in os.environ.items() if not name.startswith("SUPERSONIQ_")}
        environ |= {"SUPERSONIQ_MANAGEMENT_PORT": "0", "SUPERSONIQ_PROMETHEUS_PORT": "0"}
        environ.update({f"SUPERSONIQ_{name.upper()}": text for name, text in self.settings.items()})
        arguments = ["--host", "127.0.0.1", "--data-dir", str(self.directory)]
        if "port" not in self.settings:
            arguments += ["--port", "0"]
        self._process = Process(arguments, environ, self._home)
        return self._process

    def start(self, **settings: str) -> Self:
        """Start a process and wait until it listens."""
        self.launch(**settings).wait_started()
        return self

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Send the signal and wait for the end; one that is asked to stop must end with exit code 0."""
        code = self.process.stop(number)
        assert code == (-signal.SIGKILL if number == signal.SIGKILL else 0), self.process.log

    def restart(self, number: int = signal.SIGKILL) -> None:
        """Stop or kill the process, and start another on the directory."""
        self.stop(number)
        self.start()

    def close(self) -> None:
        """Kill what still runs."""
        if self._process is not None:
            self._process.stop(signal.SIGKILL)

    def wire(self) -> Wire:
        """A connection that says exactly what it is told."""
        return Wire.opened(self.url)

    def rss_bytes(self) -> int:
        """The memory that the process occupies now."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * PAGE_BYTES
