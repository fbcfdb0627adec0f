"""Telling: who logs in to the API and who is refused, for the audit log and for who asks for the last
refusals.
"""

from time import monotonic
from typing import Final

from starlette.requests import Request

from supersoniq.broker.events import ADDRESS, USER
from supersoniq.management.access import Caller, credentials
from supersoniq.management.context import ManagementContext
from supersoniq.management.errors import ApiError
from supersoniq.session.refusals import Refusal

# What a request says of itself is kept so far: anybody may send one.
CHARACTERS_MAX: Final = 255
# Each request says who asks. It is a login if the same user has not asked from the same host for so long.
LOGIN_SECONDS: Final = 600.0
# Of so many users and hosts is remembered when they asked; then all of that is forgotten.
REMEMBERED_MAX: Final = 1_000


class LoginNews:
    """Tells of logins to the API, and not of each request."""

    def __init__(self) -> None:
        self._asked_at: dict[tuple[str, str], float] = {}

    def asked(self, management: ManagementContext, request: Request, caller: Caller) -> None:
        """Take note of a request, and tell if it is a login; nobody logs in at the local socket."""
        events = management.context.events
        client = request.client
        if not events.is_heard() or client is None or caller.is_operator:
            return
        who, now = (caller.user, client.host), monotonic()
        is_login = now - self._asked_at.get(who, -LOGIN_SECONDS) >= LOGIN_SECONDS
        if who not in self._asked_at and len(self._asked_at) >= REMEMBERED_MAX:
            self._asked_at.clear()
        self._asked_at[who] = now
        if is_login:
            fields: dict[str, object] = {
                "ssl": request.url.scheme == "https",
                "auth_mechanism": "basic",
                "protocol": "http",
                "peer_port": client.port,
                "peer_host": client.host,
                "name": caller.user,
            }
            events.emit("user.authentication.success", fields)


def tell_refusal(management: ManagementContext, request: Request, error: ApiError) -> None:
    """Tell of an answer 401 to somebody who has said who it is, and keep it."""
    header = request.headers.get("authorization")
    if error.status != 401 or header is None:
        return
    try:
        user, _ = credentials(header)
    except ApiError:
        user = ""
    client = request.scope.get("client")
    address = None if client is None else _address(str(client[0]), client[1])
    text, path = str(error.reason), request.scope["path"]
    management.http_refusals.note(
        Refusal(
            management.facts.now_ms(),
            user[:CHARACTERS_MAX],
            address or "",
            "",
            request.headers.get("user-agent", "")[:CHARACTERS_MAX],
            str(request.path_params.get("vhost", ""))[:CHARACTERS_MAX],
            0,
            error.status,
            text,
            f"{request.method} {path}"[:CHARACTERS_MAX],
        )
    )
    events = management.context.events
    if not events.is_heard():
        return
    fields: dict[str, object] = {
        USER: user,
        ADDRESS: address,
        "reply_code": error.status,
        "reply_text": text,
        "method": request.method,
        "path": path,
    }
    events.emit("supersoniq.access.refused", fields)


def _address(host: str, port: object) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
