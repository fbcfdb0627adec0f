"""Diagnostics: the last refusals with their context."""

from typing import Final

from starlette.responses import Response

from supersoniq.management.call import Call, answer
from supersoniq.management.routes import Level, Route
from supersoniq.management.views.refusals import refusal_view
from supersoniq.session.refusals import Refusal

CODE_MAX: Final = 0xFFFF
QUERY: Final = {
    "user": "only those of this user",
    "vhost": "only those in this virtual host",
    "code": "only those with this reply code",
}


async def refusals(call: Call) -> Response:
    """What was refused over AMQP and by the API, the latest first."""
    query = call.request.query_params
    user, vhost = query.get("user"), query.get("vhost")
    code = call.number("code", 0, CODE_MAX) if "code" in query else None
    management = call.management
    found = management.context.refusals.latest() + management.http_refusals.latest()
    wanted = [
        each
        for each in found
        if user in (None, each.user) and vhost in (None, each.vhost) and code in (None, int(each.reply_code))
    ]
    return answer([refusal_view(each) for each in sorted(wanted, key=_at, reverse=True)])


def _at(refusal: Refusal) -> int:
    return refusal.at_ms


ROUTES: Final = (
    Route(
        "GET",
        "/diagnostics/refusals",
        refusals,
        "The last refusals: channels and connections closed for an error, requests answered with 401",
        Level.MONITORING,
        query=QUERY,
    ),
)
