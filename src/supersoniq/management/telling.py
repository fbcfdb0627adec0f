"""Telling: who is refused by the API, for the audit log."""

from starlette.requests import Request

from supersoniq.broker.events import ADDRESS, USER, Events
from supersoniq.management.access import credentials
from supersoniq.management.errors import ApiError


def tell_refusal(events: Events, request: Request, error: ApiError) -> None:
    """Tell of an answer 401 to somebody who has said who it is."""
    header = request.headers.get("authorization")
    if error.status != 401 or header is None or not events.is_heard():
        return
    try:
        user, _ = credentials(header)
    except ApiError:
        user = ""
    client = request.scope.get("client")
    fields: dict[str, object] = {
        USER: user,
        ADDRESS: None if client is None else _address(str(client[0]), client[1]),
        "reply_code": error.status,
        "reply_text": str(error.reason),
        "method": request.method,
        "path": request.scope["path"],
    }
    events.emit("supersoniq.access.refused", fields)


def _address(host: str, port: object) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
