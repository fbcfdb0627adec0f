"""A route: which request an endpoint answers, who may ask, and what the documentation says of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.responses import Response

    from supersoniq.management.call import Call

Endpoint = Callable[["Call"], Awaitable["Response"]]


class Level(IntEnum):
    """Who may ask."""

    ANYBODY = 0  # without a login
    MANAGEMENT = 1
    POLICYMAKER = 2
    MONITORING = 3
    ADMINISTRATOR = 4


@dataclass(frozen=True)
class Route:
    """One method of one path; `{names}` in the path are parameters."""

    method: str
    path: str
    endpoint: Endpoint
    summary: str
    level: Level = Level.MANAGEMENT
    query: dict[str, str] = field(default_factory=dict)  # parameters and what they are for
    body: dict[str, object] | None = None  # the schema of the request's body
