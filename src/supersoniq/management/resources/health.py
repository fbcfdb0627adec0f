"""Health checks: 200 and `ok`, or 503 and what is wrong."""

from typing import Final

from starlette.responses import Response

from supersoniq.broker.message import Message, address_of
from supersoniq.broker.queues.queue import NOBODY
from supersoniq.management.call import Call, answer, refusals
from supersoniq.management.errors import bad_request, not_authorised, not_found
from supersoniq.management.routes import Endpoint, Route
from supersoniq.session.access import EXCHANGE, QUEUE

OK: Final = {"status": "ok"}
SINGLE: Final = {"status": "ok", "reason": "single node cluster"}
ALIVENESS: Final = b"aliveness-test"
NO_PROPERTIES: Final = b"\x00\x3c\x00\x00" + bytes(8) + b"\x00\x00"
DAYS_MAX: Final = 1_000_000  # later there is no date
UNIT_DAYS: Final = {"days": 1, "weeks": 7, "months": 30, "years": 365}
# What RabbitMQ's tools call the protocols, beside what the list of listeners says.
PROTOCOL_NAMES: Final = {
    "amqp091": "amqp",
    "amqp0-9-1": "amqp",
    "amqps": "amqp/ssl",
    "tls": "amqp/ssl",
    "prometheus": "http/prometheus",
}


def failed(reason: str, **details: object) -> Response:
    """Return what answers a check that fails."""
    return answer({"status": "failed", "reason": reason, **details}, 503)


async def ok(call: Call) -> Response:
    """A check that cannot fail here while there is somebody to answer it."""
    return answer(OK)


async def single(call: Call) -> Response:
    """A check of clusters."""
    return answer(SINGLE)


def _alarms(call: Call) -> list[dict[str, str]]:
    alarm = call.management.context.alarm
    if not alarm.is_on:
        return []
    resources = alarm.reason.decode().removeprefix("low on ").split(" & ")
    return [{"resource": resource, "node": call.management.facts.name} for resource in resources]


async def alarms(call: Call) -> Response:
    """Whether anything is short in the cluster."""
    found = _alarms(call)
    return failed("There are alarms in effect in the cluster", alarms=found) if found else answer(OK)


async def local_alarms(call: Call) -> Response:
    """Whether anything is short here."""
    found = _alarms(call)
    return failed("There are alarms in effect on the node", alarms=found) if found else answer(OK)


async def port_listener(call: Call) -> Response:
    """Whether a port is listened on."""
    try:
        port = int(call.name("port"))
    except ValueError:
        raise bad_request("Invalid port") from None
    ports = [listener.port for listener in call.management.facts.listeners()]
    if port in ports:
        return answer({"status": "ok", "port": port})
    return failed("No active listener", missing=port, ports=sorted(set(ports)))


async def protocol_listener(call: Call) -> Response:
    """Whether any of some protocols, with commas, has a listener."""
    wanted = call.name("protocol")
    protocols = {listener.protocol for listener in call.management.facts.listeners()}
    if any(PROTOCOL_NAMES.get(name, name) in protocols for name in wanted.split(",")):
        return answer({"status": "ok", "protocol": wanted})
    return failed("No active listener", missing=wanted, protocols=sorted(protocols))


async def certificate_expiration(call: Call) -> Response:
    """Whether a certificate expires within some time."""
    try:
        within = int(call.name("within"))
    except ValueError:
        raise bad_request("Invalid expiration value.") from None
    days = UNIT_DAYS.get(call.name("unit"))
    if days is None:
        raise bad_request("Time unit not recognised. Supported units: days, weeks, months, years.")
    expired = call.management.facts.expiring_certificates(min(within * days, DAYS_MAX))
    return failed("Certificates expiring", expired=expired) if expired else answer(OK)


async def node_health(call: Call) -> Response:
    """The old check of everything."""
    found = _alarms(call)
    if found:
        return answer({"status": "failed", "reason": "resource alarm(s) in effect:" + str(_names(found))})
    return answer(OK)


def _names(alarms: list[dict[str, str]]) -> list[str]:
    return [each["resource"] for each in alarms]


async def named_node_health(call: Call) -> Response:
    """The old check of one node."""
    if call.name("node") != call.management.facts.name:
        raise not_found()
    return await node_health(call)


async def aliveness(call: Call) -> Response:
    """Declare a queue, publish to it, and consume what was published."""
    vhost = call.vhost()
    rights = call.rights(vhost)
    if (
        not call.caller.is_operator
        and call.management.context.permissions.of(call.caller.user, vhost.name) is None
    ):
        raise not_authorised("Access refused.")
    with refusals():
        rights.declare_queue(ALIVENESS, {})
        rights.write(EXCHANGE, b"")
        rights.read(QUEUE, ALIVENESS)
        queue = vhost.queues.get(ALIVENESS)
        if queue is None:
            queue = vhost.declare_queue(ALIVENESS, False, False, False, {}, NOBODY)
        vhost.publish_by_rules(
            Message(address_of(b"", ALIVENESS), NO_PROPERTIES, b"test_message", False), [queue], -1
        )
        queue.take(True)
    await call.settled(vhost)
    return answer(OK)


def _routes() -> tuple[Route, ...]:
    checks: tuple[tuple[str, Endpoint, str], ...] = (
        ("alarms", alarms, "503 while memory or disk is short"),
        ("local-alarms", local_alarms, "The same of this node"),
        ("virtual-hosts", ok, "Whether all virtual hosts run"),
        ("node-is-quorum-critical", single, "Whether quorum queues would lose their majority"),
        ("node-is-mirror-sync-critical", single, "Whether mirrored queues would lose messages"),
        ("is-in-service", ok, "Whether the node is not being drained"),
        ("ready-to-serve-clients", ok, "Whether clients can connect"),
        ("below-node-connection-limit", ok, "Whether the node takes more connections"),
        ("reached-target-cluster-size", ok, "Whether all nodes are there"),
        ("metadata-store/initialized", ok, "Whether definitions are recovered"),
        ("metadata-store/initialized/with-data", ok, "The same"),
        ("quorum-queues-without-elected-leaders/all-vhosts", ok, "Whether all quorum queues work"),
        ("quorum-queues-without-elected-leaders/all-vhosts/pattern/{pattern}", ok, "Some of them"),
        ("quorum-queues-without-elected-leaders/vhost/{vhost}", ok, "Those of a virtual host"),
        ("quorum-queues-without-elected-leaders/vhost/{vhost}/pattern/{pattern}", ok, "Some of those"),
        (
            "certificate-expiration/{within}/{unit}",
            certificate_expiration,
            "503 if a certificate expires soon",
        ),
        ("port-listener/{port}", port_listener, "503 unless a port is listened on"),
        ("protocol-listener/{protocol}", protocol_listener, "503 unless a protocol has a listener"),
    )
    return (
        *[Route("GET", f"/health/checks/{path}", endpoint, summary) for path, endpoint, summary in checks],
        Route("GET", "/healthchecks/node", node_health, "The old check of everything"),
        Route("GET", "/healthchecks/node/{node}", named_node_health, "The same of one node"),
        Route("GET", "/aliveness-test/{vhost}", aliveness, "Declare, publish and consume"),
    )


ROUTES: Final = _routes()
