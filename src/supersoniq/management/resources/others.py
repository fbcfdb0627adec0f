"""What RabbitMQ has and nothing here needs: tools get answers that let them go on."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from supersoniq.management.access import authenticate
from supersoniq.management.bodies import read_octets
from supersoniq.management.call import Call, answer, done
from supersoniq.management.errors import bad_request, not_found
from supersoniq.management.forms import form_of
from supersoniq.management.routes import Level, Route

# Flags that upgrade tools look for.
FEATURES: Final = (
    "classic_mirrored_queue_version",
    "classic_queue_type_delivery_support",
    "direct_exchange_routing_v2",
    "drop_unroutable_metric",
    "empty_basic_get_metric",
    "feature_flags_v2",
    "implicit_default_bindings",
    "listener_records_in_ets",
    "maintenance_mode_status",
    "quorum_queue",
    "restart_streams",
    "stream_queue",
    "stream_single_active_consumer",
    "tracking_records_in_ets",
    "user_limits",
    "virtual_host_metadata",
)


async def nothing(call: Call) -> Response:
    """An empty list."""
    return answer([])


async def done_already(call: Call) -> Response:
    """Nothing is to be done."""
    return done()


async def features(call: Call) -> Response:
    """Feature flags, all enabled."""
    return answer(
        [
            {
                "name": name,
                "desc": "",
                "doc_url": "",
                "state": "enabled",
                "stability": "required",
                "provided_by": "supersoniq",
            }
            for name in FEATURES
        ]
    )


async def enable_feature(call: Call) -> Response:
    """All are enabled."""
    if call.name("flag") not in FEATURES:
        raise bad_request("unsupported")
    return done()


async def auth(call: Call) -> Response:
    """How the user interface is to log in."""
    return answer({"enable_uaa": False, "uaa_client_id": "", "uaa_location": ""})


async def login(call: Call) -> Response:
    """Check user and password of a form."""
    form = form_of(await read_octets(call.request))
    host, port = _peer(call.request)
    await authenticate(
        call.management, form.get("username", ""), form.get("password", "").encode(), host, port
    )
    return answer("ok")


def _peer(request: Request) -> tuple[str, int]:
    client = request.client
    return ("", 0) if client is None else (client.host, client.port)


def _check_node(call: Call) -> None:
    if call.name("node") != call.management.facts.name:
        raise not_found()


async def attempts(call: Call) -> Response:
    """How many logins there were."""
    _check_node(call)
    counters = call.management.context.counters
    good, bad = int(counters.auth_succeeded), int(counters.auth_failed)
    return answer(
        [
            {
                "protocol": "amqp091",
                "auth_attempts": good + bad,
                "auth_attempts_failed": bad,
                "auth_attempts_succeeded": good,
            }
        ]
    )


async def attempts_by_source(call: Call) -> Response:
    """Logins by address, which nobody counts."""
    _check_node(call)
    return answer([])


async def reset_attempts(call: Call) -> Response:
    """Counters only grow here."""
    _check_node(call)
    return done()


async def reset_node(call: Call) -> Response:
    """Statistics are read from the things themselves: there is nothing to be reset."""
    _check_node(call)
    return done()


def _routes() -> tuple[Route, ...]:
    admin, monitoring, anybody = Level.ADMINISTRATOR, Level.MONITORING, Level.ANYBODY
    tries = "/auth/attempts/{node}"
    return (
        Route("GET", "/extensions", nothing, "Extensions of the user interface: none"),
        Route("GET", "/feature-flags", features, "Feature flags, all enabled", admin),
        Route("PUT", "/feature-flags/{flag}/enable", enable_feature, "Nothing: it is enabled", admin),
        Route("GET", "/deprecated-features", nothing, "Features that will go: none", admin),
        Route("GET", "/deprecated-features/used", nothing, "Those of them that are used", admin),
        Route("POST", "/rebalance/queues", done_already, "Nothing: there is one node", admin),
        Route("DELETE", "/reset", done_already, "Nothing: figures are not kept apart", admin),
        Route("DELETE", "/reset/{node}", reset_node, "The same of one node", admin),
        Route("GET", "/auth", auth, "How the user interface is to log in", anybody),
        Route("POST", "/login", login, "Check user and password of a form", anybody),
        Route("GET", tries, attempts, "How many logins there were", monitoring),
        Route("DELETE", tries, reset_attempts, "Nothing: they are counted on", admin),
        Route("GET", tries + "/source", attempts_by_source, "By address, which nobody counts", monitoring),
        Route("DELETE", tries + "/source", reset_attempts, "Nothing", admin),
    )


ROUTES: Final = _routes()
