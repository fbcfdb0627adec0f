"""A route: which request an endpoint answers, who may ask, and what the documentation says of it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from supersoniq.auth.users import ADMINISTRATOR, MANAGEMENT, MONITORING, POLICYMAKER

if TYPE_CHECKING:
    from starlette.responses import Response

    from supersoniq.management.call import Call

Endpoint = Callable[["Call"], Awaitable["Response"]]


class Level(Enum):
    """Who may ask: the tags that allow it, and what the others are told (rabbitmq: management)."""

    ANYBODY = (frozenset[str](), "")  # without a login
    MANAGEMENT = (frozenset({MANAGEMENT, POLICYMAKER, MONITORING, ADMINISTRATOR}), "Not management user")
    POLICYMAKER = (frozenset({POLICYMAKER, ADMINISTRATOR}), "User not authorised to access object")
    MONITORING = (frozenset({MONITORING, ADMINISTRATOR}), "Not monitor user")
    ADMINISTRATOR = (frozenset({ADMINISTRATOR}), "Not administrator user")

    def allows(self, tags: frozenset[str]) -> bool:
        """Whether one of the tags is enough."""
        return bool(tags & self.value[0])

    @property
    def refusal(self) -> str:
        """What the others are told."""
        return self.value[1]


@dataclass(frozen=True)
class Route:
    """One method of one path; `{names}` in the path are parameters.

    A `{vhost}` is one that the caller may enter, unless the route says that it `looks_itself`. `query` has
    parameters and what they are for, `body` the JSON schema of the request's properties.
    """

    method: str
    path: str
    endpoint: Endpoint
    summary: str
    level: Level = Level.MANAGEMENT
    looks_itself: bool = False
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | None = None
