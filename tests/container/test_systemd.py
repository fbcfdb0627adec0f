"""The systemd unit, under a systemd of its own in a container: started, watched, hardened, stopped."""

import time
import uuid
from collections.abc import Iterator

import pika
import pytest
from tests.container.broker import Container
from tests.container.engine import Engine, EngineError
from tests.container.images import BUILD_SECONDS, base_image
from tests.docs.sandbox import free_ports

pytestmark = [pytest.mark.container, pytest.mark.timeout(1800)]

UNIT = "supersoniq.service"
EXPOSURE_MAX = 1.5


class Machine(Container):
    """A container in which systemd is process 1."""

    def wait_for_systemd(self) -> None:
        """Fails when the machine does not come up."""
        deadline = time.monotonic() + 60
        while True:
            try:
                state = self.execute("sh", "-c", "systemctl is-system-running || true")
            except EngineError:
                state = ""
            if state in ("running", "degraded"):
                return
            assert time.monotonic() < deadline, f"{state}\n{self.log}"
            time.sleep(0.2)

    def systemctl(self, *words: str) -> str:
        return self.execute("systemctl", *words)

    def property(self, name: str) -> str:
        """What systemd knows of the unit."""
        return self.systemctl("show", UNIT, "--property", name, "--value")

    def settings(self, **variables: object) -> None:
        """Write the file of variables that the unit reads."""
        lines = "\n".join(f"{name}={value}" for name, value in variables.items())
        self.execute("sh", "-c", f"echo '{lines}' > /etc/supersoniq/environment")


@pytest.fixture(scope="module")
def machine(engine: Engine, image: str) -> Iterator[Machine]:
    """A machine on which the unit was started."""
    container = f"supersoniq-test-{uuid.uuid4().hex[:8]}"
    tag = "supersoniq-test/systemd"
    images = {"BASE_IMAGE": base_image(engine), "BROKER_IMAGE": image}
    arguments = [text for name, value in images.items() for text in ("--build-arg", f"{name}={value}")]
    file = ("-f", "tests/container/systemd.Dockerfile", "deploy/systemd")
    engine.run("build", "-q", "--network", "host", "-t", tag, *arguments, *file, timeout=BUILD_SECONDS)
    # What systemd needs for the namespaces of its services, and no more.
    rights = ["--cap-add", "SYS_ADMIN"]
    rights += [text for name in ("seccomp", "apparmor") for text in ("--security-opt", f"{name}=unconfined")]
    cgroup = ["--cgroupns", "host", "-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw"]
    tmpfs = [text for path in ("/run", "/run/lock", "/tmp") for text in ("--tmpfs", path)]
    (port,) = free_ports(1)
    host = Machine(engine, container, port)
    try:
        engine.run("run", "-d", "--network", "host", *rights, *cgroup, *tmpfs, "--name", container, tag)
        host.wait_for_systemd()
        host.execute("mkdir", "-p", "/etc/supersoniq")
        host.settings(SUPERSONIQ_PORT=port, SUPERSONIQ_MANAGEMENT_PORT=0, SUPERSONIQ_PROMETHEUS_PORT=0)
        host.systemctl("daemon-reload")
        host.systemctl("enable", "--now", "supersoniq")
        yield host
    finally:
        engine.run("rm", "-f", "-v", container)


def send(machine: Machine, body: bytes) -> None:
    """A confirmed message in the durable queue `kept`."""
    connection = machine.connect()
    channel = connection.channel()
    channel.confirm_delivery()
    channel.queue_declare("kept", durable=True)
    channel.basic_publish("", "kept", body, pika.BasicProperties(delivery_mode=2))
    connection.close()


def received(machine: Machine) -> bytes:
    """The next message in `kept`."""
    connection = machine.connect()
    body: bytes = connection.channel().basic_get("kept", auto_ack=True)[2]
    connection.close()
    return body


def test_active_means_that_it_serves(machine: Machine) -> None:
    assert machine.systemctl("is-active", UNIT) == "active"
    assert machine.property("StatusText").startswith("listening on amqp://")
    ping = machine.execute("env", f"SUPERSONIQ_PORT={machine.port}", "/opt/supersoniq/bin/supersoniq", "ping")
    assert "10 round trips" in ping


def test_it_runs_under_a_user_of_its_own_with_directories_of_its_own(machine: Machine) -> None:
    pid = machine.property("MainPID")
    # Users that exist while their unit runs have these numbers.
    assert 61184 <= int(machine.execute("stat", "-c", "%u", f"/proc/{pid}")) <= 65519
    assert machine.execute("stat", "-c", "%a", "/var/lib/private/supersoniq") == "700"
    machine.execute("test", "-f", "/var/lib/supersoniq/format")
    machine.execute("test", "-d", "/etc/supersoniq")


def test_little_is_exposed(machine: Machine) -> None:
    shown = machine.execute("systemd-analyze", "security", "--no-pager", UNIT)
    print(shown.splitlines()[-1])
    score = float(shown.splitlines()[-1].split(":")[1].split()[0])
    assert score <= EXPOSURE_MAX


def test_systemd_finds_nothing_wrong_with_the_unit(machine: Machine) -> None:
    assert machine.execute("sh", "-c", f"systemd-analyze verify {UNIT} 2>&1") == ""


def test_a_loop_that_hangs_is_started_again_and_loses_nothing(machine: Machine) -> None:
    send(machine, b"kept through a hang")
    pid = machine.property("MainPID")
    machine.systemctl("kill", "--kill-whom", "main", "--signal", "STOP", UNIT)
    deadline = time.monotonic() + 120
    while machine.property("MainPID") in (pid, "0") or machine.property("ActiveState") != "active":
        assert time.monotonic() < deadline, machine.execute(
            "journalctl", "-u", UNIT, "--no-pager", "-n", "50"
        )
        time.sleep(0.5)
    assert machine.property("NRestarts") != "0"
    assert received(machine) == b"kept through a hang"


def test_it_stops_in_order_and_has_its_messages_when_it_starts_again(machine: Machine) -> None:
    send(machine, b"kept through a restart")
    machine.systemctl("restart", UNIT)
    assert received(machine) == b"kept through a restart"
    machine.systemctl("stop", UNIT)
    assert machine.property("Result") == "success"
    assert machine.property("ExecMainStatus") == "0"
    machine.systemctl("start", UNIT)


def test_a_wrong_setting_is_not_tried_again(machine: Machine) -> None:
    machine.settings(SUPERSONIQ_PORT="x")
    with pytest.raises(EngineError):
        machine.systemctl("restart", UNIT)
    before = machine.property("NRestarts")
    time.sleep(3)  # RestartSec is one second
    assert machine.property("ActiveState") == "failed"
    assert machine.property("NRestarts") == before
    machine.settings(SUPERSONIQ_PORT=machine.port, SUPERSONIQ_MANAGEMENT_PORT=0, SUPERSONIQ_PROMETHEUS_PORT=0)
    machine.systemctl("reset-failed", UNIT)
    machine.systemctl("start", UNIT)
