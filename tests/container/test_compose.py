"""compose.yaml as it stands: broker, producer, consumer and Prometheus run; both programs survive a restart.

Grafana's image cannot be made here. Its dashboard's queries are asked of the Prometheus that runs.
"""

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.container.engine import ROOT, Engine, install
from tests.container.images import base_image, derived_image
from tests.docs.sandbox import free_ports

pytestmark = [pytest.mark.container, pytest.mark.timeout(1800)]

PROJECT = "supersoniq-test"
SERVICES = ("broker", "producer", "consumer", "prometheus")
DEADLINE_SECONDS = 120
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboards" / "supersoniq.json"
# What Grafana puts in for its variables.
VARIABLES = {"$__rate_interval": "20s", "$instance": ".*"}


@dataclass
class Composition:
    """The services that run."""

    engine: Engine
    ports: dict[str, int]

    def compose(self, *words: str, timeout: float = 1200) -> str:
        return self.engine.command(["docker-compose", "-p", PROJECT, *words], timeout)

    def logs(self, service: str) -> str:
        return self.compose("logs", "--no-color", service)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What Prometheus answers."""
        url = f"http://127.0.0.1:{self.ports['PROMETHEUS_PORT']}/api/v1/query?"
        with urllib.request.urlopen(
            url + urllib.parse.urlencode({"query": expression}), timeout=20
        ) as answer:
            body = json.load(answer)
        assert body["status"] == "success", body
        return list(body["data"]["result"])


@pytest.fixture(scope="module")
def composition(engine: Engine, image: str) -> Iterator[Composition]:
    """Everything but Grafana, up; its volumes are removed at the end."""
    install("docker-compose")
    names = ("AMQP_PORT", "MANAGEMENT_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    here = ROOT / "tests" / "container"
    engine.environ |= {name: str(port) for name, port in ports.items()} | {
        "BASE_IMAGE": base_image(engine),
        "BROKER_IMAGE": image,
        "EXAMPLES_IMAGE": derived_image(engine, "supersoniq-test/examples", ROOT / "examples" / "Dockerfile"),
        "PROMETHEUS_IMAGE": derived_image(
            engine, "supersoniq-test/prometheus", here / "prometheus.Dockerfile"
        ),
    }
    running = Composition(engine, ports)
    try:
        running.compose("up", "-d", "--no-build", *SERVICES)
        yield running
    finally:
        running.compose("down", "-v", "--remove-orphans")


def wait_until(condition: Callable[[], bool], explain: Callable[[], str]) -> None:
    """Fails the test when the condition does not come true in time."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.5)


def done(composition: Composition) -> int:
    """How many hundreds of orders the consumer has said it has billed."""
    return composition.logs("consumer").count("orders billed")


def test_orders_are_published_and_billed(composition: Composition) -> None:
    wait_until(
        lambda: done(composition) >= 1, lambda: composition.logs("consumer") + composition.logs("broker")
    )
    assert "100 orders are safe" in composition.logs("producer")


def test_both_programs_go_on_after_a_restart_of_the_broker(composition: Composition) -> None:
    before = done(composition)
    composition.compose("restart", "broker")
    wait_until(lambda: done(composition) >= before + 2, lambda: composition.logs("consumer"))
    assert "connection lost" in composition.logs("producer") or "no broker" in composition.logs("producer")
    assert "no broker" in composition.logs("consumer")
    for service in ("producer", "consumer"):
        restarts = composition.engine.run("inspect", "-f", "{{.RestartCount}}", f"{PROJECT}_{service}_1")
        assert restarts == "0", "it is to survive the broker's restart by itself"


def test_no_confirmed_order_is_lost(composition: Composition) -> None:
    """The consumer counts each order once, so it comes as far as the producer does."""
    composition.compose("stop", "producer")
    safe = [line for line in composition.logs("producer").splitlines() if "orders are safe" in line]
    last = int(safe[-1].split("|")[-1].split()[0])
    wait_until(
        lambda: f"{last} orders billed" in composition.logs("consumer"), lambda: composition.logs("consumer")
    )
    composition.compose("start", "producer")


def test_prometheus_scrapes_the_broker(composition: Composition) -> None:
    def up() -> bool:
        return [each["value"][1] for each in composition.query("up")] == ["1", "1"]

    wait_until(up, lambda: str(composition.query("up")))


def expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return sorted({target["expr"] for panel in panels for target in panel.get("targets", [])})


@pytest.mark.parametrize("expression", expressions())
def test_each_query_of_the_dashboard_has_an_answer(composition: Composition, expression: str) -> None:
    for name, text in VARIABLES.items():
        expression = expression.replace(name, text)
    wait_until(lambda: bool(composition.query(expression)), lambda: f"no series: {expression}")


def test_alert_rules_are_loaded_and_quiet(composition: Composition) -> None:
    url = f"http://127.0.0.1:{composition.ports['PROMETHEUS_PORT']}/api/v1/rules"
    with urllib.request.urlopen(url, timeout=20) as answer:
        groups = json.load(answer)["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert rules
    assert [rule["lastError"] for rule in rules if rule.get("lastError")] == []
    firing = {rule["name"] for rule in rules if rule["state"] == "firing"}
    assert firing <= {"BrokerRestarted"}
