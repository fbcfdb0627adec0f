"""Diagnostics: the last refusals with their context."""

from typing import Final

from starlette.responses import Response

from supersoniq.management.call import Call, answer
from supersoniq.management.routes import Level, Route
from supersoniq.management.views.common import iso_time


async def refusals(call: Call) -> Response:
    """The last channels and connections that were closed for an error, the latest first."""
    return answer(
        [
            {
                "time": iso_time(each.at_ms),
                "user": each.user,
                "address": each.address,
                "connection": each.connection,
                "client": each.client_name,
                "vhost": each.vhost,
                "channel": each.channel or None,
                "reply_code": each.reply_code,
                "reply_text": each.reply_text,
                "method": each.method,
            }
            for each in call.management.context.refusals.latest()
        ]
    )


ROUTES: Final = (
    Route(
        "GET",
        "/diagnostics/refusals",
        refusals,
        "The last channels and connections that were closed for an error",
        Level.MONITORING,
    ),
)
