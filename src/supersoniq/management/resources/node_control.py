"""The running node itself: its limits and log level, its log, and its end.

RabbitMQ's tools do this without HTTP.
"""

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from supersoniq.management.call import Call, answer, done
from supersoniq.management.control import NodeControl, Uncontrolled
from supersoniq.management.errors import ApiError, bad_request, not_found
from supersoniq.management.routes import Level, Route

LINES: Final = 50
SETTINGS: Final[dict[str, object]] = {
    "memory_limit": {"type": "string", "description": "a share (`40%`) or size of memory, 0 for none"},
    "disk_free_limit": {"type": "string", "description": "a size, 0 for none"},
    "log_level": {"enum": ["debug", "info", "warning", "error", "critical"]},
}


async def change(call: Call) -> Response:
    """Change settings until the next start."""
    control = _control(call)
    wanted = await _wanted(call)
    setters = {
        "memory_limit": control.set_memory_limit,
        "disk_free_limit": control.set_disk_free_limit,
        "log_level": control.set_log_level,
    }
    for name in wanted:
        if name not in setters:
            raise bad_request(f"{name} cannot be changed while the node runs")
    for name, value in wanted.items():
        try:
            setters[name](str(value))
        except (ValueError, Uncontrolled) as error:
            raise bad_request(f"{name} = {value}: {error}") from None
    return done()


async def _wanted(call: Call) -> Mapping[str, object]:
    wanted = (await call.body()).values
    if not wanted:
        raise bad_request("not_json")
    return wanted


async def log(call: Call) -> Response:
    """The last lines of the log."""
    text = call.request.query_params.get("lines", str(LINES))
    if not text.isdigit():
        raise bad_request(f"lines = {text}: expected a number")
    try:
        return answer(_control(call).log_lines(int(text)))
    except Uncontrolled as error:
        raise ApiError(404, "not_found", str(error)) from None


async def stop(call: Call) -> Response:
    """Stop the node in order."""
    try:
        _control(call).stop()
    except Uncontrolled as error:
        raise bad_request(str(error)) from None
    return done(202)


def _control(call: Call) -> NodeControl:
    control = call.management.control
    if control is None:
        raise not_found()
    return control


ROUTES: Final = (
    Route(
        "PUT",
        "/node/settings",
        change,
        "Change settings until the next start",
        Level.ADMINISTRATOR,
        body=SETTINGS,
    ),
    Route(
        "GET",
        "/node/log",
        log,
        "The last lines of the log",
        Level.ADMINISTRATOR,
        query={"lines": "how many"},
    ),
    Route("POST", "/node/stop", stop, "Stop the node in order", Level.ADMINISTRATOR),
)
