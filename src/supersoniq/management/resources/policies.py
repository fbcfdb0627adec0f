"""Policies and operator policies."""

from typing import Final

from starlette.responses import Response

from supersoniq.broker.policies import Policy, PolicySet
from supersoniq.broker.vhost import VHost
from supersoniq.management.access import may_enter
from supersoniq.management.call import Call, answer, done, refusals
from supersoniq.management.errors import not_authorised, not_found
from supersoniq.management.listing import LISTING, Lister, query_of
from supersoniq.management.routes import Endpoint, Level, Route
from supersoniq.management.views.vhosts import policy_view

POLICY: Final = {
    "pattern": {"type": "string", "description": "regular expression of names"},
    "definition": {"type": "object", "description": 'as in `{"max-length": 1000}`'},
    "priority": {"type": "integer", "default": 0},
    "apply-to": {
        "enum": ["all", "queues", "exchanges", "classic_queues", "quorum_queues", "streams"],
        "default": "all",
    },
}

Item = tuple[VHost, Policy]


def _name(item: Item) -> str:
    return item[1].name


class _Kind:
    """The endpoints of one kind of policies."""

    def __init__(self, is_operator: bool) -> None:
        self._is_operator = is_operator

    def _set(self, vhost: VHost) -> PolicySet:
        return vhost.policies.operator if self._is_operator else vhost.policies.user

    async def _listed(self, call: Call, vhosts: list[VHost]) -> Response:
        items = [
            (vhost, policies[name])
            for vhost in vhosts
            for policies in [self._set(vhost).by_name]
            for name in sorted(policies)
        ]
        query = query_of(call.request.query_params)
        lister = Lister[Item](lambda item, _: policy_view(item[0].name, item[1]), _name)
        return await lister.answer(items, query, call.slices)

    async def all(self, call: Call) -> Response:
        """Policies of all virtual hosts that the caller may enter."""
        return await self._listed(call, call.vhosts())

    async def of_vhost(self, call: Call) -> Response:
        """Policies of one virtual host."""
        return await self._listed(call, [call.vhost()])

    def _policy(self, call: Call) -> Item:
        vhost = call.vhost()
        policy = self._set(vhost).by_name.get(call.name("name"))
        if policy is None:
            raise not_found()
        return vhost, policy

    async def one(self, call: Call) -> Response:
        """One policy."""
        _check_place(call)
        vhost, policy = self._policy(call)
        return answer(policy_view(vhost.name, policy))

    async def put(self, call: Call) -> Response:
        """Set a policy."""
        _check_place(call)
        vhost = call.vhost_to_change()
        body = await call.body()
        body.require("pattern", "definition")
        name = call.name("name")
        is_new = name not in self._set(vhost).by_name
        values = body.values
        with refusals():
            sequence = call.management.administration.put_policy(
                vhost.name,
                name,
                values["pattern"],
                values.get("apply-to", "all"),
                values.get("priority", 0),
                values["definition"],
                self._is_operator,
                call.caller.actor,
            )
        await call.safe(sequence)
        return done(201 if is_new else 204)

    async def delete(self, call: Call) -> Response:
        """Remove a policy."""
        _check_place(call)
        vhost, policy = self._policy(call)
        with refusals():
            sequence = call.management.administration.delete_policy(
                vhost.name, policy.name, self._is_operator, call.caller.actor
            )
        await call.safe(sequence)
        return done()


def _check_place(call: Call) -> None:
    """Raise 401 for a virtual host that a maker of policies may not enter."""
    name = call.name("vhost")
    if name in call.management.vhosts and not may_enter(call.management, call.caller, name):
        raise not_authorised("User not authorised to access object")


def _routes(kind: _Kind, path: str, what: str, level: Level) -> tuple[Route, ...]:
    one = path + "/{vhost}/{name}"

    def single(method: str, endpoint: Endpoint, summary: str, least: Level = level) -> Route:
        body = POLICY if method == "PUT" else None
        return Route(method, one, endpoint, summary, least, looks_itself=True, body=body)

    return (
        Route("GET", path, kind.all, f"{what} of all virtual hosts", query=LISTING),
        Route("GET", path + "/{vhost}", kind.of_vhost, f"{what} of a virtual host", query=LISTING),
        single("GET", kind.one, "One of them", Level.POLICYMAKER),
        single("PUT", kind.put, "Set one"),
        single("DELETE", kind.delete, "Remove one"),
    )


ROUTES: Final = (
    *_routes(_Kind(False), "/policies", "Policies", Level.POLICYMAKER),
    *_routes(_Kind(True), "/operator-policies", "Operator policies", Level.ADMINISTRATOR),
)
