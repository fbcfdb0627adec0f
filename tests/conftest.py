"""What the suites share: which core is under test, an embedded broker, and brokers that are processes."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from supersoniq.cli.version import is_compiled

if TYPE_CHECKING:
    from supersoniq import Broker

START_SECONDS = 50
STOP_SECONDS = 50


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--core",
        choices=["compiled", "interpreted", "any"],
        default="any",
        help="fail unless this core is the one under test",
    )


def pytest_report_header(config: pytest.Config) -> str:
    return f"core: {'compiled' if is_compiled() else 'interpreted'}"


def pytest_sessionstart(session: pytest.Session) -> None:
    core = "compiled" if is_compiled() else "interpreted"
    if session.config.getoption("--core") not in (core, "any"):
        raise pytest.UsageError(f"the core under test is {core}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Have what a test logged in a form that pytest-xdist can send: clients' octets may be no UTF-8."""
    report = yield
    report.sections = [
        (title, text.encode("utf-8", "backslashreplace").decode()) for title, text in report.sections
    ]
    return report


class Process:
    """`supersoniq serve` as a process of its own; its log is read to the end all the time."""

    def __init__(self, arguments: list[str], environ: dict[str, str], cwd: Path) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "supersoniq", "serve", *arguments],
            env=environ,
            cwd=cwd,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.data_dir = arguments[arguments.index("--data-dir") + 1]
        self.lines: list[str] = []
        self._started = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._popen.stderr is not None
        with self._popen.stderr as stream:
            for line in stream:
                self.lines.append(line)
                if "Server startup complete" in line:
                    self._started.set()
        self._started.set()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def log(self) -> str:
        return "".join(self.lines)

    @property
    def urls(self) -> list[str]:
        """As the log says them: `amqp://127.0.0.1:43210`."""
        return re.findall(r"listening on (amqp://[^\s\"]+)", self.log)

    @property
    def api_url(self) -> str:
        """Where the management API listens: `http://127.0.0.1:43211`."""
        return re.findall(r"listening on (http://[^\s\"]+)", self.log)[0]

    @property
    def url(self) -> str:
        """The first listener's, with the credentials of the default user."""
        return self.urls[0].replace("amqp://", "amqp://guest:guest@") + "/%2F"

    @property
    def port(self) -> int:
        return int(self.urls[0].rpartition(":")[2])

    def wait_started(self) -> None:
        """Fails the test when the process ends, or does not start, before `Server startup complete`."""
        assert self._started.wait(START_SECONDS), f"not started after {START_SECONDS} s:\n{self.log}"
        if "Server startup complete" not in self.log:
            pytest.fail(f"ended with exit code {self._popen.wait(STOP_SECONDS)}:\n{self.log}")

    def wait_for(self, text: str) -> None:
        """Fails the test when no line of the log has `text` in time."""
        deadline = time.monotonic() + START_SECONDS
        while text not in self.log:
            assert time.monotonic() < deadline, f"no {text!r} in:\n{self.log}"
            time.sleep(0.01)

    def send_signal(self, number: int) -> None:
        self._popen.send_signal(number)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Signal the process if it still runs, and return its exit code."""
        if self._popen.poll() is None:
            self._popen.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """The exit code; a process that does not end is killed and fails the test."""
        try:
            code = self._popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
            pytest.fail(f"did not end within {STOP_SECONDS} s:\n{self.log}")
        finally:
            self._reader.join(STOP_SECONDS)
        return code


@pytest.fixture
def environ() -> dict[str, str]:
    """The environment for a child: this process's without settings of a broker.

    Its listeners take free ports. That its loop is late says nothing on a busy machine.
    """
    others = {name: value for name, value in os.environ.items() if not name.startswith("SUPERSONIQ_")}
    ports = {"SUPERSONIQ_MANAGEMENT_PORT": "0", "SUPERSONIQ_PROMETHEUS_PORT": "0"}
    return {**others, **ports, "SUPERSONIQ_LOOP_STALL_MS": "0"}


@pytest.fixture
def supersoniq(environ: dict[str, str], tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `supersoniq …` to its end, in an empty directory; `env` adds to its environment."""

    def run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "supersoniq", *arguments],
            env=environ | (env or {}),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return run


@pytest.fixture
def serve(environ: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start brokers as processes on free ports, as in `serve("--log-level", "debug").url`; stops them all."""
    processes: list[Process] = []

    def start(*arguments: str, env: dict[str, str] | None = None, wait: bool = True) -> Process:
        directory = tmp_path / f"data-{len(processes)}"
        directory.mkdir()
        own = {"--port": "0", "--host": "127.0.0.1", "--data-dir": str(directory)}
        given = [text for name, value in own.items() if name not in arguments for text in (name, value)]
        process = Process([*given, *arguments], environ | (env or {}), tmp_path)
        processes.append(process)
        if wait:
            process.wait_started()
        return process

    yield start
    for process in processes:
        process.stop()


@pytest.fixture
def broker() -> Iterator["Broker"]:
    """A broker inside this process, in a thread of its own."""
    from supersoniq import Broker

    with Broker(port=0) as running:
        yield running


@pytest.fixture
def broker_url(broker: "Broker") -> str:
    """Where the embedded broker listens, with the credentials of the default user."""
    return broker.url


@pytest.fixture
def free_port() -> int:
    """A TCP port that was free a moment ago on 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
