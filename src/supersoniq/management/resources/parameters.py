"""Parameters of components in virtual hosts, global parameters, and the name of the cluster."""

from typing import Final

from starlette.responses import Response

from supersoniq.broker.vhost import VHost
from supersoniq.management.access import may_enter
from supersoniq.management.call import Call, answer, done, refusals
from supersoniq.management.errors import bad_request, not_authorised, not_found
from supersoniq.management.listing import LISTING, Lister, query_of
from supersoniq.management.routes import Level, Route
from supersoniq.management.views.common import Fields
from supersoniq.management.views.vhosts import parameter_view, policy_value

VALUE: Final = {"value": {"description": "any JSON"}}
POLICY: Final = "policy"
CLUSTER_NAME: Final = "cluster_name"


def _name(fields: Fields) -> str:
    return str(fields["name"])


def _rows(call: Call, component: str | None = None, vhost: VHost | None = None) -> list[Fields]:
    """The parameters that the caller may see; policies are listed only where they are asked for."""
    rows = [
        parameter_view(*key, value)
        for key, value in call.management.administration.parameters.items()
        if may_enter(call.management, call.caller, key[1])
    ]
    if component == POLICY:
        rows = [
            parameter_view(POLICY, each.name, name, policy_value(policy))
            for each in call.vhosts()
            for name, policy in each.policies.user.by_name.items()
        ]
    return [
        row
        for row in rows
        if component in (None, row["component"]) and (vhost is None or row["vhost"] == vhost.name)
    ]


async def _listed(call: Call, rows: list[Fields]) -> Response:
    query = query_of(call.request.query_params)
    items = sorted(rows, key=lambda row: (str(row["component"]), str(row["vhost"]), str(row["name"])))
    return await Lister[Fields](lambda row, _: row, _name).answer(items, query, call.slices)


async def all_parameters(call: Call) -> Response:
    """Parameters of all components."""
    return await _listed(call, _rows(call))


async def component_parameters(call: Call) -> Response:
    """Parameters of one component."""
    return await _listed(call, _rows(call, call.name("component")))


async def vhost_parameters(call: Call) -> Response:
    """Parameters of one component in one virtual host."""
    return await _listed(call, _rows(call, call.name("component"), _place(call)))


def _place(call: Call) -> VHost:
    """The virtual host of the path, if the caller may enter it."""
    vhost = call.vhost()
    if not may_enter(call.management, call.caller, vhost.name):
        raise not_authorised("User not authorised to access object")
    return vhost


def _one(call: Call) -> Fields:
    name = call.name("name")
    for row in _rows(call, call.name("component"), _place(call)):
        if row["name"] == name:
            return row
    raise not_found()


async def one_parameter(call: Call) -> Response:
    """One parameter."""
    return answer(_one(call))


async def put_parameter(call: Call) -> Response:
    """Set a parameter."""
    component, name = call.name("component"), call.name("name")
    vhost = call.vhost_to_change()
    _place(call)
    body = await call.body()
    body.require("value")
    if component == POLICY:
        raise bad_request("policies may not be set using this method")
    is_new = not [row for row in _rows(call, component, vhost) if row["name"] == name]
    with refusals():
        sequence = call.management.administration.put_parameter(
            component, vhost.name, name, body.values["value"], call.caller.actor
        )
    await call.safe(sequence)
    return done(201 if is_new else 204)


async def delete_parameter(call: Call) -> Response:
    """Remove a parameter."""
    row = _one(call)
    with refusals():
        sequence = call.management.administration.delete_parameter(
            str(row["component"]), str(row["vhost"]), str(row["name"]), call.caller.actor
        )
    await call.safe(sequence)
    return done()


# Global parameters


async def global_parameters(call: Call) -> Response:
    """Global parameters."""
    values = call.management.administration.global_parameters
    rows: list[Fields] = [{"name": name, "value": values[name]} for name in sorted(values)]
    query = query_of(call.request.query_params)
    return await Lister[Fields](lambda row, _: row, _name).answer(rows, query, call.slices)


async def global_parameter(call: Call) -> Response:
    """One global parameter."""
    values = call.management.administration.global_parameters
    name = call.name("name")
    if name not in values:
        raise not_found()
    return answer({"name": name, "value": values[name]})


async def put_global_parameter(call: Call) -> Response:
    """Set a global parameter."""
    body = await call.body()
    body.require("value")
    name = call.name("name")
    is_new = name not in call.management.administration.global_parameters
    await _put_global(call, name, body.values["value"])
    return done(201 if is_new else 204)


async def _put_global(call: Call, name: str, value: object) -> None:
    with refusals():
        sequence = call.management.administration.put_global_parameter(name, value, call.caller.actor)
    await call.safe(sequence)


async def delete_global_parameter(call: Call) -> Response:
    """Remove a global parameter."""
    name = call.name("name")
    if name not in call.management.administration.global_parameters:
        raise not_found()
    with refusals():
        sequence = call.management.administration.delete_global_parameter(name, call.caller.actor)
    await call.safe(sequence)
    return done()


async def cluster_name(call: Call) -> Response:
    """What the cluster is called."""
    return answer({"name": call.management.cluster_name})


async def put_cluster_name(call: Call) -> Response:
    """Call the cluster something else."""
    body = await call.body()
    body.require("name")
    await _put_global(call, CLUSTER_NAME, body.text("name"))
    return done()


def _routes() -> tuple[Route, ...]:
    maker, admin = Level.POLICYMAKER, Level.ADMINISTRATOR
    one, globally = "/parameters/{component}/{vhost}/{name}", "/global-parameters/{name}"
    return (
        Route("GET", "/parameters", all_parameters, "Parameters of all components", maker, query=LISTING),
        Route(
            "GET", "/parameters/{component}", component_parameters, "Of one component", maker, query=LISTING
        ),
        Route(
            "GET", one.removesuffix("/{name}"), vhost_parameters, "In one virtual host", maker, True, LISTING
        ),
        Route("GET", one, one_parameter, "One parameter", maker, True),
        Route("PUT", one, put_parameter, "Set a parameter", maker, True, body=VALUE),
        Route("DELETE", one, delete_parameter, "Remove a parameter", maker, True),
        Route("GET", "/global-parameters", global_parameters, "Global parameters", maker, query=LISTING),
        Route("GET", globally, global_parameter, "One global parameter", maker),
        Route("PUT", globally, put_global_parameter, "Set a global parameter", maker, body=VALUE),
        Route("DELETE", globally, delete_global_parameter, "Remove a global parameter", maker),
        Route("GET", "/cluster-name", cluster_name, "What the cluster is called"),
        Route(
            "PUT",
            "/cluster-name",
            put_cluster_name,
            "Call it something else",
            admin,
            body={"name": {"type": "string"}},
        ),
    )


ROUTES: Final = _routes()
