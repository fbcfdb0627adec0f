"""The Docker engine of the container tests: the one that runs, or one of their own."""

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
# What is worth keeping from one run to the next: the engine's images and the base system.
CACHE = ROOT / ".container"

START_SECONDS = 60
PACKAGES = {"dockerd": "docker.io", "docker-compose": "docker-compose", "debootstrap": "debootstrap"}


class EngineError(Exception):
    """There is no engine, or it refused; the text has what it said."""


@dataclass
class Engine:
    """Speaks to one Docker engine by the `docker` command; `stop` ends it if it is ours."""

    environ: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    _own: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str, timeout: float = 60) -> str:
        """What `docker …` prints; raises EngineError with its words when it fails."""
        return self.command([_docker(), *arguments], timeout)

    def logs(self, container: str) -> str:
        """Both streams of what a container has written."""
        done = subprocess.run(
            [_docker(), "logs", container], env=self.environ, text=True, timeout=60, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return done.stdout

    def command(self, words: Sequence[str], timeout: float, cwd: Path = ROOT) -> str:
        """Standard output of a command that speaks to this engine."""
        done = subprocess.run(
            words, env=self.environ, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False
        )
        if done.returncode != 0:
            raise EngineError(f"{' '.join(words)}: {done.stderr.strip()[-3000:]}\n{done.stdout[-3000:]}")
        return done.stdout.strip()

    @property
    def is_own(self) -> bool:
        """True when these tests have started it: it has no network but what the tests give it."""
        return self._own is not None

    def answers(self) -> bool:
        """True when the engine is there."""
        try:
            self.run("info", timeout=20)
        except (EngineError, OSError, subprocess.TimeoutExpired):
            return False
        return True

    def start(self) -> None:
        """Start an engine of our own, which changes no firewall rules and makes no bridge by itself."""
        directory = CACHE / "engine"
        directory.mkdir(parents=True, exist_ok=True)
        socket = f"unix://{directory}/docker.sock"
        with (directory / "log").open("wb") as log:
            self._own = subprocess.Popen(
                ["dockerd", "--data-root", str(directory / "root"), "--exec-root", str(directory / "exec"),
                 "--pidfile", str(directory / "pid"), "--host", socket,
                 "--iptables=false", "--ip6tables=false", "--bridge=none"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        self.environ["DOCKER_HOST"] = socket
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self._own.poll() is not None or time.monotonic() > deadline:
                raise EngineError(f"dockerd does not start:\n{(directory / 'log').read_text()[-3000:]}")
            time.sleep(0.2)

    def stop(self) -> None:
        """End the engine if it is ours; one that ran before stays."""
        if self._own is not None:
            self._own.terminate()
            self._own.wait(60)


def install(*commands: str) -> None:
    """Install by apt what is missing of these commands; raises EngineError where that cannot be."""
    missing = sorted({PACKAGES[name] for name in commands if shutil.which(name) is None})
    if not missing:
        return
    if shutil.which("apt-get") is None or os.getuid() != 0:
        raise EngineError(f"install {', '.join(missing)} first, or run this as root on Debian")
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
        subprocess.run(["apt-get", "-qq", *words], env=environ, stdout=subprocess.DEVNULL, check=True)


def found_or_started() -> Engine:
    """The engine that DOCKER_HOST or the default socket names, or one of our own."""
    engine = Engine()
    if shutil.which(_docker()) and engine.answers():
        return engine
    install("dockerd")
    engine.start()
    return engine


def _docker() -> str:
    """Debian's client where there is one, which fits its engine; another one may be too new for that."""
    return "/usr/bin/docker" if Path("/usr/bin/docker").exists() else "docker"
