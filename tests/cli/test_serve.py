"""`supersoniq serve` as a process: what it logs, what it refuses, and how it ends."""

import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from supersoniq.cli.serve import _has_ipv6, amqp_url
from supersoniq.cli.version import is_compiled

Run = Callable[..., subprocess.CompletedProcess[str]]
Serve = Callable[..., Any]


def events(log: str) -> list[str]:
    return [json.loads(line)["event"] for line in log.splitlines()]


def open_connection(port: int) -> socket.socket:
    """A client after `connection.open`, that says nothing more, whatever it is told."""

    def method(payload: bytes) -> bytes:
        return struct.pack(">BHI", 1, 0, len(payload)) + payload + b"\xce"

    response = b"\0guest\0guest"
    start_ok = (
        struct.pack(">HHI", 10, 11, 0) + b"\5PLAIN" + struct.pack(">I", len(response)) + response + b"\5en_US"
    )
    tune_ok = struct.pack(">HHHIH", 10, 31, 2047, 131072, 0)
    open_ = struct.pack(">HH", 10, 40) + b"\1/\0\0"
    client = socket.create_connection(("127.0.0.1", port), 10)
    client.sendall(b"AMQP\0\0\x09\x01" + b"".join(map(method, (start_ok, tune_ok, open_))))
    heard = b""
    while struct.pack(">HH", 10, 41) not in heard:
        try:
            heard += client.recv(4096) or pytest.fail(f"closed after {heard!r}")
        except BaseException:
            client.close()
            raise
    return client


def test_log_says_version_core_listeners_and_then_complete(serve: Serve) -> None:
    process = serve("--log-format", "json")
    said = events(process.log)
    assert said[0].startswith("supersoniq ")
    assert any("core is interpreted" in event for event in said) is not is_compiled()
    listening = [f"listening on {process.urls[0]}", f"listening on {process.api_url}"]
    assert said[-4:-2] == listening
    assert re.fullmatch(r"listening on http://127.0.0.1:\d+/metrics", said[-2])
    assert said[-1] == "Server startup complete"


def test_port_0_reports_a_port_that_accepts(serve: Serve) -> None:
    with socket.create_connection(("127.0.0.1", serve().port), 5):
        pass


def test_each_host_gets_a_listener(serve: Serve) -> None:
    if not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    process = serve("--host", "127.0.0.1", "--host", "::1")
    assert [url.rpartition(":")[0] for url in process.urls] == ["amqp://127.0.0.1", "amqp://[::1]"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_cleanly(serve: Serve, number: int) -> None:
    process = serve("--log-format", "json")
    assert process.stop(number) == 0
    assert events(process.log)[-1] == "stopped"


def test_stopped_broker_leaves_the_directory_to_the_next(serve: Serve, tmp_path: Path) -> None:
    directory = tmp_path / "shared"
    directory.mkdir()
    assert serve("--data-dir", str(directory)).stop() == 0
    assert serve("--data-dir", str(directory)).stop() == 0


def test_locked_directory_is_one_line_and_exit_code_1(serve: Serve, supersoniq: Run, tmp_path: Path) -> None:
    directory = tmp_path / "shared"
    directory.mkdir()
    owner = serve("--data-dir", str(directory))
    result = supersoniq("serve", "--port", "0", "--data-dir", str(directory))
    assert result.returncode == 1
    assert result.stderr == f"supersoniq: data directory {directory} is in use by process {owner.pid}\n"


def test_missing_directory_is_one_line_and_exit_code_1(supersoniq: Run, tmp_path: Path) -> None:
    result = supersoniq("serve", "--port", "0", "--data-dir", str(tmp_path / "missing"))
    assert result.returncode == 1
    assert result.stderr.startswith(f"supersoniq: data directory {tmp_path / 'missing'} does not exist: ")
    assert result.stderr.count("\n") == 1


def test_default_directory_is_created(supersoniq: Run, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        arguments = ("serve", "--host", "127.0.0.1", "--port", port)
        result = supersoniq(*arguments, env={"XDG_STATE_HOME": str(tmp_path / "state")})
    assert result.returncode == 1
    directory = tmp_path / "state" / "supersoniq"
    assert (directory / "lock").exists()
    assert directory.stat().st_mode & 0o777 == 0o700


def test_port_in_use_is_one_line_and_exit_code_1(supersoniq: Run, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = supersoniq(
            "serve",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--data-dir",
            str(tmp_path),
            "--log-level",
            "error",
        )
    assert result.returncode == 1
    assert result.stderr == f"supersoniq: cannot listen on 127.0.0.1:{port}: address already in use\n"


@pytest.mark.parametrize(
    ("arguments", "env", "line"),
    [
        (["--port", "65536"], {}, "port = 65536 (--port): expected less than or equal to 65535"),
        ([], {"SUPERSONIQ_CHANNEL_MAX": "0"}, "channel_max = 0 (SUPERSONIQ_CHANNEL_MAX): expected greater"),
        ([], {"SUPERSONIQ_CHANEL_MAX": "0"}, "unknown setting SUPERSONIQ_CHANEL_MAX: did you mean"),
        (["--config", "nowhere.toml"], {}, "config file nowhere.toml does not exist"),
    ],
)
def test_wrong_setting_is_one_line_and_exit_code_2(
    supersoniq: Run, arguments: list[str], env: dict[str, str], line: str
) -> None:
    result = supersoniq("serve", *arguments, env=env)
    assert result.returncode == 2
    assert result.stderr.startswith(f"supersoniq: {line}")
    assert result.stderr.count("\n") == 1


def test_definitions_that_cannot_be_loaded_are_one_line_and_exit_code_2(
    supersoniq: Run, tmp_path: Path
) -> None:
    path, data = tmp_path / "definitions.json", tmp_path / "data"
    path.write_text('{"policies": [{"vhost": "/", "name": "p", "pattern": "", "definition": {"x": 1}}]}')
    data.mkdir()
    env = {"SUPERSONIQ_LOAD_DEFINITIONS": str(path), "SUPERSONIQ_LOG_LEVEL": "error"}
    result = supersoniq("serve", "--port", "0", "--host", "127.0.0.1", "--data-dir", str(data), env=env)
    assert result.returncode == 2
    assert result.stderr == (
        f"supersoniq: definitions file {path}: policies[0] 'p': "
        'Validation failed [{<<"x">>,1}] are not recognised policy settings\n'
    )


def test_file_is_read(serve: Serve, tmp_path: Path, free_port: int) -> None:
    (tmp_path / "own.toml").write_text("log_level = 'debug'\n")
    assert serve("--config", str(tmp_path / "own.toml"), "--port", str(free_port)).port == free_port


@pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")
def test_service_manager_hears_ready_and_stopping(serve: Serve) -> None:
    name = f"supersoniq-serve-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(10)
        manager.bind("\0" + name)
        process = serve(env={"NOTIFY_SOCKET": "@" + name})
        assert manager.recv(4096).decode().startswith(f"READY=1\nSTATUS=listening on {process.urls[0]}")
        process.stop()
        assert manager.recv(4096) == b"STOPPING=1"


@pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")
def test_watchdog_of_the_service_manager_is_fed(serve: Serve) -> None:
    name = f"supersoniq-watchdog-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(10)
        manager.bind("\0" + name)
        process = serve(env={"NOTIFY_SOCKET": "@" + name, "WATCHDOG_USEC": "100000"})
        assert manager.recv(4096).startswith(b"READY=1")
        assert [manager.recv(4096) for _ in range(2)] == [b"WATCHDOG=1"] * 2
        process.stop()


def test_second_signal_stops_at_once_where_a_client_does_not_close(serve: Serve) -> None:
    process = serve(env={"SUPERSONIQ_SHUTDOWN_GRACE_MS": "50000"})
    with open_connection(process.port):
        process.send_signal(signal.SIGTERM)
        process.wait_for("stopping")
        assert process.stop(signal.SIGTERM) == 128 + signal.SIGTERM


def test_client_that_does_not_close_has_the_grace_and_no_longer(serve: Serve) -> None:
    process = serve(env={"SUPERSONIQ_SHUTDOWN_GRACE_MS": "100"})
    with open_connection(process.port):
        assert process.stop() == 0


@pytest.mark.parametrize(
    ("address", "url"), [(("127.0.0.1", 5672), "amqp://127.0.0.1:5672"), (("::1", 1), "amqp://[::1]:1")]
)
def test_ipv6_address_is_bracketed(address: tuple[str, int], url: str) -> None:
    assert amqp_url(*address) == url
