"""The service manager is told what happens, through a real datagram socket."""

import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from supersoniq.server.notify import Notifier


class Manager:
    """Listens where `NOTIFY_SOCKET` points."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(5)
        self.socket.bind(address)

    def heard(self) -> str:
        return self.socket.recv(4096).decode()


@pytest.fixture
def path() -> Iterator[str]:
    # pytest's own temporary directory can be longer than a socket's name may be.
    with tempfile.TemporaryDirectory() as directory:
        yield str(Path(directory) / "notify")


def test_ready_stopping_and_alive_reach_the_manager(path: str) -> None:
    manager = Manager(path)
    with manager.socket:
        notifier = Notifier({"NOTIFY_SOCKET": path})
        notifier.ready("listening")
        notifier.stopping()
        notifier.alive()
        heard = [manager.heard() for _ in range(3)]
    assert heard == ["READY=1\nSTATUS=listening", "STOPPING=1", "WATCHDOG=1"]


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
def test_abstract_socket_is_reached() -> None:
    name = f"supersoniq-test-{os.getpid()}"
    manager = Manager("\0" + name)
    with manager.socket:
        Notifier({"NOTIFY_SOCKET": "@" + name}).stopping()
        assert manager.heard() == "STOPPING=1"


def test_without_a_manager_nothing_happens() -> None:
    notifier = Notifier({})
    notifier.ready("listening")
    assert notifier.watchdog_seconds is None


def test_manager_that_does_not_listen_is_no_error(path: str) -> None:
    Notifier({"NOTIFY_SOCKET": path}).ready("listening")


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "3000000"}, 1.5),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}, 1.5),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "often"}, None),
        ({}, None),
    ],
)
def test_watchdog_is_fed_twice_per_period(environ: dict[str, str], seconds: float | None) -> None:
    assert Notifier({"NOTIFY_SOCKET": "/nowhere"} | environ).watchdog_seconds == seconds
