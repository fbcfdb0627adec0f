"""`supersoniq ping` as a command."""

import re
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_ping_prints_min_median_and_max(supersoniq: Run, broker_url: str) -> None:
    done = supersoniq("ping", broker_url, "--count", "3")
    assert done.returncode == 0, done.stderr
    found = re.fullmatch(
        r"127\.0\.0\.1:\d+: 3 round trips, min ([\d.]+) ms, median ([\d.]+) ms, max ([\d.]+) ms\n",
        done.stdout,
    )
    assert found, done.stdout
    low, middle, high = [float(text) for text in found.groups()]
    assert 0 < low <= middle <= high


def test_nobody_there_is_one_line_and_exit_code_1(supersoniq: Run, free_port: int) -> None:
    done = supersoniq("ping", f"amqp://127.0.0.1:{free_port}")
    assert done.returncode == 1
    assert done.stderr == f"supersoniq: cannot connect to 127.0.0.1:{free_port}: Connection refused\n"


def test_refused_login_says_why(supersoniq: Run, broker_url: str) -> None:
    done = supersoniq("ping", broker_url.replace("guest:guest", "guest:wrong"))
    assert done.returncode == 1
    assert done.stderr.startswith("supersoniq: 403 ACCESS_REFUSED")


@pytest.mark.parametrize("url", ["http://127.0.0.1", "127.0.0.1"])
def test_what_is_no_uri_is_exit_code_2(supersoniq: Run, url: str) -> None:
    done = supersoniq("ping", url)
    assert done.returncode == 2
    assert "is no AMQP URI" in done.stderr


def test_without_a_url_it_asks_the_broker_that_is_configured_and_does_not_log_in(
    supersoniq: Run, broker_url: str
) -> None:
    port = broker_url.rpartition(":")[2].partition("/")[0]
    done = supersoniq("ping", env={"SUPERSONIQ_PORT": port, "SUPERSONIQ_HOST": "0.0.0.0"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"127.0.0.1:{port}: 10 round trips, min ")


def test_nobody_at_the_configured_port_is_exit_code_1(supersoniq: Run, free_port: int) -> None:
    done = supersoniq("ping", env={"SUPERSONIQ_PORT": str(free_port)})
    assert done.returncode == 1
    assert done.stderr == f"supersoniq: cannot connect to 127.0.0.1:{free_port}: Connection refused\n"


def test_a_configuration_that_is_wrong_is_exit_code_2(supersoniq: Run) -> None:
    done = supersoniq("ping", env={"SUPERSONIQ_PORT": "x"})
    assert done.returncode == 2
    assert done.stderr.startswith("supersoniq: port = x (SUPERSONIQ_PORT)")


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where connections are taken and nothing is said."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def wrong_port() -> Iterator[int]:
    """A port where somebody else answers, once."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            client, _ = server.accept()
            with client:
                client.recv(64)
                client.sendall(b"HTTP/1.1 400 Bad Request\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def test_a_broker_that_hangs_is_exit_code_1(supersoniq: Run, silent_port: int) -> None:
    done = supersoniq("ping", "--timeout", "0.2", env={"SUPERSONIQ_PORT": str(silent_port)})
    assert done.returncode == 1
    assert done.stderr == f"supersoniq: 127.0.0.1:{silent_port} does not answer within 0.2 s\n"


def test_another_server_is_exit_code_1(supersoniq: Run, wrong_port: int) -> None:
    done = supersoniq("ping", env={"SUPERSONIQ_PORT": str(wrong_port)})
    assert done.returncode == 1
    assert "does not answer PING with PONG but with b'HTTP/1.1 400" in done.stderr
