"""The broker under test: a process of ours, or the oracle that `SUPERSONIQ_TEST_URL` names."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.conformance.codec import Channel, Exchange, Queue
from tests.conformance.names import Names
from tests.conformance.wire import Wire, WireChannel

ORACLE_URL = os.environ.get("SUPERSONIQ_TEST_URL")
STARTUP_SECONDS = 30
# Not that of the metrics, which is a listener of HTTP too.
LISTENING = re.compile(r"listening on (amqp|http)://127\.0\.0\.1:(\d+)(?!\d*/metrics)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "rule(method, name): the rule of the specification that a test checks")
    config.addinivalue_line("markers", "slow: takes more than a few seconds")
    config.addinivalue_line("markers", "oracle_differs(reason): RabbitMQ 3.10.8 answers differently")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here not in item.path.parents:
            continue
        differs = item.get_closest_marker("oracle_differs")
        if differs and ORACLE_URL:
            item.add_marker(pytest.mark.skip(reason=f"RabbitMQ: {differs.args[0]}"))
        if config.pluginmanager.hasplugin("timeout") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(60))


class BrokerProcess:
    """`supersoniq serve` on a port of its own, with everything it logged."""

    def __init__(self, data_dir: Path) -> None:
        self.lines: list[str] = []
        self.port = 0
        self.api_port = 0
        self._ready = threading.Event()
        command = [sys.executable, "-m", "supersoniq", "serve", "--host", "127.0.0.1", "--port", "0"]
        command += ["--data-dir", str(data_dir), "--log-format", "json"]
        environ = {name: text for name, text in os.environ.items() if not name.startswith("SUPERSONIQ_")}
        environ["SUPERSONIQ_MANAGEMENT_PORT"] = "0"
        environ["SUPERSONIQ_PROMETHEUS_PORT"] = "0"
        self.process = subprocess.Popen(
            command,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        if not self._ready.wait(STARTUP_SECONDS) or not self.port:
            self.process.kill()
            self.join()
            raise RuntimeError("the broker did not start:\n" + "".join(self.lines))

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            if found := LISTENING.search(line):
                if found[1] == "amqp":
                    self.port = int(found[2])
                else:
                    self.api_port = int(found[2])
            if "Server startup complete" in line:
                self._ready.set()
        self._ready.set()

    def join(self) -> int:
        code = self.process.wait(STARTUP_SECONDS)
        self._reader.join(5)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code

    def errors(self) -> list[str]:
        """Every line that is not JSON, or that has a level of error or above."""
        return [line for line in self.lines if _level(line) in ("error", "critical", "not json")]


def _level(line: str) -> str:
    try:
        return str(json.loads(line)["level"]).lower()
    except (ValueError, KeyError):
        return "not json"


@pytest.fixture(scope="session")
def broker_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess | None]:
    """Our broker, or None when the oracle is asked instead."""
    if ORACLE_URL:
        yield None
        return
    broker = BrokerProcess(tmp_path_factory.mktemp("broker"))
    try:
        yield broker
    finally:
        broker.process.send_signal(signal.SIGTERM)
        try:
            code = broker.join()
        except subprocess.TimeoutExpired:
            broker.process.kill()
            code = broker.join()
    assert code == 0, f"the broker ended with {code}:\n" + "".join(broker.lines[-50:])
    assert broker.errors() == []


@pytest.fixture(scope="session")
def url(broker_process: BrokerProcess | None) -> str:
    if broker_process is None:
        assert ORACLE_URL
        return ORACLE_URL
    return f"amqp://guest:guest@127.0.0.1:{broker_process.port}/"


@pytest.fixture(scope="session")
def api_url(broker_process: BrokerProcess | None) -> str:
    """Where the management API is: of the oracle, where RabbitMQ has it, or `SUPERSONIQ_TEST_API_URL`."""
    if broker_process is not None:
        return f"http://127.0.0.1:{broker_process.api_port}"
    assert ORACLE_URL
    parts = urlsplit(ORACLE_URL)
    default = f"http://{parts.hostname}:{(parts.port or 5672) + 10_000}"
    return os.environ.get("SUPERSONIQ_TEST_API_URL", default)


@pytest.fixture
def resident_bytes(broker_process: BrokerProcess | None) -> Callable[[], int]:
    """The broker's resident memory; always 0 for the oracle, whose process we do not know."""

    def measure() -> int:
        if broker_process is None:
            return 0
        status = Path(f"/proc/{broker_process.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) * 1024

    return measure


@pytest.fixture
def names(url: str) -> Iterator[Names]:
    """Unique names; whatever was declared under them is gone after the test."""
    names = Names()
    yield names
    wire = Wire.opened(url)
    try:
        for name in names.used:
            channel = wire.channel()
            channel >> Queue.delete(queue=name) >> Exchange.delete(exchange=name) >> Channel.close()
            while channel.next().name not in ("channel.close", "channel.close_ok"):
                pass
    finally:
        wire.close()


@pytest.fixture
def connect(url: str, names: Names) -> Iterator[Callable[..., Wire]]:
    """Opens further connections; the keywords are those of `Wire.handshake`."""
    wires: list[Wire] = []

    def connect(**tuning: object) -> Wire:
        wires.append(Wire.opened(url, **tuning))
        return wires[-1]

    yield connect
    for wire in wires:
        wire.close()


@pytest.fixture
def dial(url: str) -> Iterator[Callable[[], Wire]]:
    """Opens sockets on which nothing has been said yet."""
    wires: list[Wire] = []

    def dial() -> Wire:
        wires.append(Wire(url))
        return wires[-1]

    yield dial
    for wire in wires:
        wire.drop()


@pytest.fixture
def wire(connect: Callable[..., Wire]) -> Wire:
    """An open connection."""
    return connect()


@pytest.fixture
def ch(wire: Wire) -> WireChannel:
    """Channel 1 of `wire`."""
    return wire.channel()


@pytest.fixture
def q(ch: WireChannel, names: Names) -> str:
    """A transient queue, declared."""
    ch.call(Queue.declare(queue=names.q))
    return names.q
