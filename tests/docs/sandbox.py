"""Where a page's commands and scripts run: an empty directory, a broker, and the commands a reader has."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.docs.pages import Block, Command

OUTPUT_SECONDS = 20
# The usual port of each listener, how the log names it, and the variable that sets it.
LISTENERS = {
    5672: (r"amqp://127\.0\.0\.1:(\d+)", "SUPERSONIQ_PORT"),
    15672: (r"http://127\.0\.0\.1:(\d+)(?![\d/])", "SUPERSONIQ_MANAGEMENT_PORT"),
    15692: (r"http://127\.0\.0\.1:(\d+)/metrics", "SUPERSONIQ_PROMETHEUS_PORT"),
}


@dataclass
class Sandbox:
    """One page's. Usual ports and directories stand for the sandbox's; nothing else is changed."""

    directory: Path
    environ: dict[str, str]
    ports: dict[int, int] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    terminals: list["Terminal"] = field(default_factory=list)
    _broker: subprocess.Popen[str] | None = None

    def prepare(self) -> None:
        """Put `supersoniq` and `python` on the path, and start a broker with the default user.

        Loads that a page lets run for their ten seconds are shown to work in less.
        """
        commands = self.directory / ".commands"
        commands.mkdir()
        # Python finds its packages by its full name.
        self._script(commands / "python", f'exec {sys.executable} -W error "$@"')
        url = "amqp://guest:guest@127.0.0.1:$SUPERSONIQ_PORT/"
        self._script(
            commands / "supersoniq",
            "more=\n"
            f'case "$*" in *--url*) ;; perf*) more="--url {url}" ;; esac\n'
            'case "$*" in *--count*|*--duration*) ;; perf*) more="$more --duration 0.1" ;; esac\n'
            'case "$*" in "perf churn"*|*--count*) ;; perf*) more="$more --warmup 0.1" ;; esac\n'
            f'exec {sys.executable} -m supersoniq "$@" $more',
        )
        virtual = self.directory / ".venv"
        virtual.mkdir()
        (virtual / "bin").symlink_to(commands)
        for name in ("data", "backup"):
            (self.directory / name).mkdir()
        self.environ = self.environ | {
            "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.directory),
            "XDG_STATE_HOME": str(self.directory / "state"),
            "PYTHONUNBUFFERED": "1",
            "SUPERSONIQ_DATA_DIR": str(self.directory / "data"),
            "SUPERSONIQ_MANAGEMENT_PORT": "0",
            "SUPERSONIQ_PROMETHEUS_PORT": "0",
        }
        self._start_broker()

    def close(self) -> list[str]:
        """Stop everything; what the page's terminals should have printed and did not, in words."""
        missing = [text for terminal in self.terminals if (text := terminal.stop())]
        if self._broker is not None:
            self._broker.terminate()
            self._broker.wait(OUTPUT_SECONDS)
        return missing

    def write(self, block: Block) -> None:
        """Save a script or a configuration file under its title."""
        path = self.directory / block.title
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.here(block.text), encoding="utf-8")
        self.written.add(block.title)

    def here(self, text: str) -> str:
        """The page's text with the sandbox's ports and directories."""
        for usual, own in self.ports.items():
            text = re.sub(rf"(localhost|127\.0\.0\.1|\[::1\]):{usual}\b", rf"127.0.0.1:{own}", text)
        text = re.sub(r"(--(count|preload)) 1000000\b", r"\1 1000", text)
        text = text.replace("/var/lib/supersoniq", str(self.directory / "data"))
        return text.replace("/backup/", f"{self.directory}/backup/")

    def run(self, command: Command) -> str:
        """Run a line to its end; its output has to be the one that is shown. Returns both streams."""
        done = subprocess.run(
            ["bash", "-c", self.here(command.line)], cwd=self.directory, env=self.environ, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, timeout=60,
        )  # fmt: skip
        shown = "\n".join(command.output)
        if not is_shown_by(shown, done.stdout, self):
            raise AssertionError(f"$ {command.line}\nis to print\n{shown}\nand prints\n{done.stdout}")
        # A failure that the page shows is part of what it teaches.
        if done.returncode != 0 and not command.output:
            raise AssertionError(f"$ {command.line}\nends with exit code {done.returncode}:\n{done.stdout}")
        return done.stdout

    def start(self, block: Block) -> None:
        """Start a block's one command and go on as soon as it prints the first line that is shown."""
        (command,) = block.commands
        terminal = Terminal(self, command)
        self.terminals.append(terminal)
        terminal.wait_for(command.output[:1])

    def _start_broker(self) -> None:
        log = self.directory / ".broker.log"
        with log.open("w") as stream:
            self._broker = subprocess.Popen(
                [sys.executable, "-m", "supersoniq", "serve", "--host", "127.0.0.1", "--port", "0"],
                env=self.environ, cwd=self.directory, stderr=stream, text=True,
            )  # fmt: skip
        _wait(lambda: "Server startup complete" in log.read_text(), log.read_text)
        text = log.read_text()
        for usual, (pattern, variable) in LISTENERS.items():
            found = re.search(pattern, text)
            assert found, text
            self.ports[usual] = int(found[1])
            self.environ[variable] = found[1]

    def _script(self, path: Path, text: str) -> None:
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o755)


class Terminal:
    """A command that goes on while the page does other things."""

    def __init__(self, sandbox: Sandbox, command: Command) -> None:
        self._command = command
        self._sandbox = sandbox
        self._path = sandbox.directory / f".terminal-{len(sandbox.terminals)}"
        with self._path.open("w") as stream:
            self._popen = subprocess.Popen(
                ["bash", "-c", f"exec {sandbox.here(command.line)}"], cwd=sandbox.directory,
                env=sandbox.environ, stdout=stream, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            )  # fmt: skip

    @property
    def printed(self) -> str:
        return self._path.read_text(encoding="utf-8")

    def wait_for(self, lines: tuple[str, ...]) -> None:
        """Fails when the command does not print these lines in time."""
        wanted = "\n".join(lines)
        _wait(lambda: is_shown_by(wanted, self.printed, self._sandbox), lambda: self._difference(wanted))

    def stop(self) -> str:
        """Wait for all that is shown, then press Ctrl-C; what is wrong, or an empty text."""
        try:
            self.wait_for(self._command.output)
        except AssertionError as error:
            return str(error)
        finally:
            if self._popen.poll() is None:
                self._popen.send_signal(signal.SIGINT)
            self._popen.wait(OUTPUT_SECONDS)
        return ""

    def _difference(self, wanted: str) -> str:
        return f"$ {self._command.line}\nis to print\n{wanted}\nand prints\n{self.printed}"


def is_shown_by(shown: str, printed: str, sandbox: Sandbox) -> bool:
    """Whether the lines that are shown are printed. Numbers may differ, `…` stands for anything."""
    pattern = re.escape(" ".join(sandbox.here(shown).split()))
    pattern = re.sub(r"\d[\d,.\\]*", r"[\\d,.]+", pattern)
    pattern = re.sub(r"\s*…\s*", ".*", pattern.replace(r"\ ", r"\s*"))
    return re.search(pattern, " ".join(printed.split()), re.DOTALL) is not None


def _wait(condition: Callable[[], bool], difference: Callable[[], str]) -> None:
    deadline = time.monotonic() + OUTPUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, difference()
        time.sleep(0.01)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that were free a moment ago, all different."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
