"""Access: who asks, and who may."""

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from supersoniq.management.context import ManagementContext
from supersoniq.management.errors import ApiError, login_failed, not_authenticated, not_authorised
from supersoniq.management.routes import Level

LEVELS: Final = {
    "management": Level.MANAGEMENT,
    "policymaker": Level.POLICYMAKER,
    "monitoring": Level.MONITORING,
    "administrator": Level.ADMINISTRATOR,
}
REFUSALS: Final = {
    Level.MANAGEMENT: "Not management user",
    Level.POLICYMAKER: "Not policymaker user",
    Level.MONITORING: "Not monitor user",
    Level.ADMINISTRATOR: "Not administrator user",
}


@dataclass(frozen=True)
class Caller:
    """Who asks: a user, from an address."""

    user: str
    tags: tuple[str, ...]
    address: str

    def has(self, level: Level) -> bool:
        """Whether one of the tags says so."""
        return any(LEVELS.get(tag, Level.ANYBODY) >= level for tag in self.tags)


# Whoever can open the local socket is the operator of the machine.
LOCAL: Final = Caller("rmq-internal", ("administrator",), "local socket")


def credentials(header: str | None) -> tuple[str, bytes]:
    """Return user and password of a header Authorization; raises 401, or 400 if it makes no sense."""
    if header is None:
        raise not_authenticated()
    scheme, _, text = header.partition(" ")
    if scheme.lower() == "bearer":
        raise login_failed()
    try:
        user, colon, password = base64.b64decode(text, validate=True).partition(b":")
        if scheme.lower() == "basic" and colon:
            return user.decode(), password
    except (binascii.Error, UnicodeDecodeError):
        pass
    raise ApiError(400)


async def authenticate(
    management: ManagementContext, header: str | None, address: str, is_local: bool
) -> Caller:
    """Return the caller who has these credentials; raises 401."""
    name, password = credentials(header)
    user = await management.logins.check(name, password, address, is_local)
    if user is None:
        raise login_failed()
    return Caller(name, tuple(sorted(user.tags)), address)


def check(caller: Caller, level: Level) -> None:
    """Raise 401 for a caller who may not."""
    if not caller.has(Level.MANAGEMENT):
        raise not_authorised(REFUSALS[Level.MANAGEMENT])
    if not caller.has(level):
        raise not_authorised(REFUSALS[level])
