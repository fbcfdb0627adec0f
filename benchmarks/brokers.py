"""The brokers under test: started on loopback with directories of their own, and stopped."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 20.0
RABBITMQ_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


class Unavailable(Exception):
    """A broker cannot be installed or started; the text is one line."""


class Broker(ABC):
    """One broker, as a process group of its own; `directory` is its to write to, and survives restarts."""

    name = ""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.start_seconds = 0.0
        self.launched_at = 0.0
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    @property
    def pid(self) -> int:
        """The process whose descendants and itself are the broker."""
        return self._processes[-1].pid

    @abstractmethod
    def launch(self) -> None:
        """Start the processes, the broker's last."""

    def spawn(self, command: list[str], environ: dict[str, str]) -> None:
        """Start a process that `stop` stops, its output in a log."""
        with (self.directory / "output.log").open("ab") as log:
            self._processes.append(
                subprocess.Popen(
                    command,
                    env=environ,
                    cwd=self.directory,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )

    def start(self) -> None:
        """Start with an empty directory, wait until it answers an AMQP header, note how long that took."""
        self.clear()
        self.directory.mkdir(parents=True)
        began = self.launched_at = time.monotonic()
        self.launch()
        while not answers(self.port):
            if self._processes[-1].poll() is not None:
                raise Unavailable(f"{self.name} ended at start: {self.last_words()}")
            if time.monotonic() - began > START_SECONDS_MAX:
                raise Unavailable(
                    f"{self.name} did not answer in {START_SECONDS_MAX:g} s: {self.last_words()}"
                )
            time.sleep(0.005)
        self.start_seconds = time.monotonic() - began

    def clear(self) -> None:
        """Remove everything that it has written; it must not run."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def stop(self) -> None:
        """Stop everything that was started, by force if it takes too long."""
        self._end((signal.SIGTERM, signal.SIGKILL))

    def kill(self) -> None:
        """End everything that was started with SIGKILL."""
        self._end((signal.SIGKILL,))

    @property
    def has_ended(self) -> bool:
        """Whether the broker is not there although nobody stopped it."""
        return not self._processes or self._processes[-1].poll() is not None

    def last_words(self) -> str:
        """The last line that it has logged."""
        lines = (self.directory / "output.log").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "no output"

    def _end(self, signals: tuple[signal.Signals, ...]) -> None:
        while self._processes:
            process = self._processes.pop()
            for number in signals:
                try:
                    os.killpg(process.pid, number)
                except ProcessLookupError:
                    break
                try:
                    process.wait(STOP_SECONDS_MAX)
                except subprocess.TimeoutExpired:
                    continue
            process.wait()


class SupersoniQ(Broker):
    """This package, with the interpreter that runs the benchmark."""

    name = "supersoniq"
    python = sys.executable

    def environ(self) -> dict[str, str]:
        """The environment without settings, and without HTTP: RabbitMQ has no plugins either."""
        return self.bare_environ() | {"SUPERSONIQ_MANAGEMENT": "off", "SUPERSONIQ_PROMETHEUS": "off"}

    def bare_environ(self) -> dict[str, str]:
        """The environment without settings."""
        return {name: value for name, value in os.environ.items() if not name.startswith("SUPERSONIQ_")}

    def launch(self) -> None:
        """Start `supersoniq serve`."""
        data = self.directory / "data"
        data.mkdir(exist_ok=True)
        command = [
            self.python,
            "-m",
            "supersoniq",
            "serve",
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
        ]
        self.spawn([*command, "--data-dir", str(data)], self.environ())


class Managed(SupersoniQ):
    """The same with its HTTP listeners."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.management_port = free_port()

    def environ(self) -> dict[str, str]:
        """The environment with ports that are free."""
        return self.bare_environ() | {
            "SUPERSONIQ_MANAGEMENT_PORT": str(self.management_port),
            "SUPERSONIQ_PROMETHEUS_PORT": "0",
        }


class Beside(SupersoniQ):
    """This package, where it is compared with an earlier version."""

    name = "beside"


class Before(SupersoniQ):
    """The package as another interpreter has it installed, to compare with."""

    name = "before"

    def __init__(self, directory: Path, python: str) -> None:
        super().__init__(directory)
        self.python = python

    def environ(self) -> dict[str, str]:
        """The same without the path of this interpreter's modules."""
        return {name: value for name, value in self.bare_environ().items() if name != "PYTHONPATH"}

    def version(self) -> str:
        """What `supersoniq version` says of the package and its core."""
        command = [self.python, "-m", "supersoniq", "version"]
        done = subprocess.run(command, check=False, env=self.environ(), capture_output=True, text=True)
        if done.returncode:
            raise Unavailable(f"{self.python} does not run supersoniq")
        return ", ".join([line for line in done.stdout.splitlines() if line.startswith(("super", "core"))])


class RabbitMQ(Broker):
    """Debian's package with its defaults: no plugins, as many schedulers as there are cores."""

    name = "rabbitmq"

    def launch(self) -> None:
        """Start epmd, which would outlive RabbitMQ if that started it, and RabbitMQ."""
        install_rabbitmq()
        directory = self.directory
        (directory / "enabled_plugins").write_text("[].\n")
        (directory / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{self.port}\n")
        epmd_port = str(free_port())
        environ = {
            name: value for name, value in os.environ.items() if not name.startswith(("RABBITMQ_", "ERL_"))
        }
        environ |= {
            "HOME": str(directory),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": epmd_port,
            "RABBITMQ_NODENAME": "benchmark@localhost",
            "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(directory / "log"),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }
        self.spawn(["epmd", "-port", epmd_port, "-address", "127.0.0.1"], environ)
        self.spawn([str(RABBITMQ_SERVER)], environ)


BROKERS: dict[str, type[Broker]] = {"supersoniq": SupersoniQ, "rabbitmq": RabbitMQ}


def install_rabbitmq() -> None:
    """Install Debian's RabbitMQ if it is not there."""
    if RABBITMQ_SERVER.exists():
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Unavailable(f"{RABBITMQ_SERVER} is missing: install rabbitmq-server, or run as root on Debian")
    # In run level 1 Debian's packages do not start what they install.
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", "rabbitmq-server"]):
        command = ["apt-get", "--quiet", *arguments]
        done = subprocess.run(command, check=False, env=environ, capture_output=True, text=True)
        if done.returncode:
            raise Unavailable(
                f"apt-get {arguments[0]} failed: {(done.stderr.strip() or '?').splitlines()[-1]}"
            )


def free_port() -> int:
    """A port of loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Whether an AMQP header is answered with a method frame."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2.0) as client:
            client.sendall(b"AMQP\x00\x00\x09\x01")
            return client.recv(1) == b"\x01"
    except OSError:
        return False
