"""Telling: who is refused by the API, for the audit log and for who asks for the last refusals."""

from typing import Final

from starlette.requests import Request

from supersoniq.broker.events import ADDRESS, USER
from supersoniq.management.access import credentials
from supersoniq.management.context import ManagementContext
from supersoniq.management.errors import ApiError
from supersoniq.session.refusals import Refusal

# What a request says of itself is kept so far: anybody may send one.
CHARACTERS_MAX: Final = 255


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
