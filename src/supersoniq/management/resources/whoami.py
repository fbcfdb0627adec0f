"""Who it is that asks."""

from typing import Final

from starlette.responses import Response

from supersoniq.management.call import Call, answer
from supersoniq.management.routes import Route


async def whoami(call: Call) -> Response:
    """Name and tags of the caller."""
    return answer({"name": call.caller.user, "tags": sorted(call.caller.tags)})


ROUTES: Final = (Route("GET", "/whoami", whoami, "Name and tags of the user who asks"),)
