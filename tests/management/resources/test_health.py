"""Health checks: well and not."""

import pytest
from tests.management.api import Api
from tests.management.cases import NOT_FOUND, Case, bad, play
from tests.management.conftest import Common

from supersoniq import Broker

OK = {"status": "ok"}


@pytest.mark.parametrize(
    "path",
    [
        "/aliveness-test/$V",
        "/healthchecks/node",
        "/health/checks/alarms",
        "/health/checks/local-alarms",
        "/health/checks/virtual-hosts",
        "/health/checks/certificate-expiration/1/weeks",
    ],
)
def test_all_is_well(common: Common, path: str) -> None:
    play(common, [Case("GET", path, None, 200, OK)])


@pytest.mark.parametrize("check", ["is-in-service", "ready-to-serve-clients", "below-node-connection-limit"])
def test_checks_of_later_versions_are_known(ours: Common, check: str) -> None:
    play(ours, [Case("GET", f"/health/checks/{check}", None, 200, OK)])


def test_listeners_are_found_by_port_and_protocol(common: Common) -> None:
    listeners = common.api.get("/api/overview?columns=listeners")["listeners"]
    port = next(each["port"] for each in listeners if each["protocol"] == "amqp")
    found = {"status": "ok", "port": port}
    play(
        common,
        [
            Case("GET", f"/health/checks/port-listener/{port}", None, 200, found),
            Case("GET", "/health/checks/port-listener/x", None, 400, bad("Invalid port")),
            Case(
                "GET",
                "/health/checks/protocol-listener/amqp",
                None,
                200,
                {"status": "ok", "protocol": "amqp"},
            ),
        ],
    )
    for path, key, missing in (("port-listener/1", "ports", 1), ("protocol-listener/x", "protocols", "x")):
        answer = common.api.ask("GET", common.path(f"/health/checks/{path}"))
        assert answer.status == 503
        assert answer.value.pop(key)
        assert answer.value == {"status": "failed", "reason": "No active listener", "missing": missing}


def test_what_makes_no_sense(common: Common) -> None:
    units = "Time unit not recognised. Supported units: days, weeks, months, years."
    path = "/health/checks/certificate-expiration"
    play(
        common,
        [
            Case("GET", path + "/x/weeks", None, 400, bad("Invalid expiration value.")),
            Case("GET", path + "/1/bogus", None, 400, bad(units)),
            Case("GET", "/healthchecks/node/nope", None, 404, NOT_FOUND),
            Case("GET", "/aliveness-test/nowhere", None, 404, NOT_FOUND),
        ],
    )


def test_alarm_fails_the_checks_and_refuses_publishes() -> None:
    """The alarm is a real one: messages take more than the limit that an operator has set."""
    with Broker(management="on") as broker:
        api = Api(broker.api_url)
        api.put("/api/queues/%2F/q")
        publish = "/api/exchanges/%2F/amq.default/publish"
        message = {
            "routing_key": "q",
            "payload": "x" * 100_000,
            "payload_encoding": "string",
            "properties": {},
        }
        assert api.post(publish, message) == {"routed": True}
        api.put("/api/node/settings", {"memory_limit": "100KiB"})
        node = api.get("/api/overview?columns=node")["node"]
        reason = "There are alarms in effect on the node"
        alarm = {"resource": "memory", "node": node}
        answer = api.ask("GET", "/api/health/checks/local-alarms")
        assert (answer.status, answer.value) == (
            503,
            {"status": "failed", "reason": reason, "alarms": [alarm]},
        )
        assert api.ask("POST", publish, message).status == 503
        assert api.get("/api/queues/%2F/q")["messages"] == 1
        api.put("/api/node/settings", {"memory_limit": "0"})
        assert api.get("/api/health/checks/local-alarms") == OK
        assert api.post(publish, message) == {"routed": True}
