"""Access: who asks, and who may."""

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from supersoniq.auth.users import ADMINISTRATOR
from supersoniq.control.actor import Actor
from supersoniq.management.context import ManagementContext
from supersoniq.management.errors import ApiError, login_failed, not_authenticated, not_authorised
from supersoniq.management.routes import Level


@dataclass(frozen=True)
class Caller:
    """Who asks: a user, from an address."""

    user: str
    tags: frozenset[str]
    address: str

    @property
    def is_operator(self) -> bool:
        """Whether it came by the local socket: whoever can open that is the operator of the machine."""
        return self is LOCAL

    @property
    def actor(self) -> Actor:
        """Who changes something, for events and the audit log."""
        return Actor(self.user, self.address)

    def may(self, level: Level) -> bool:
        """Whether its tags are enough."""
        return level.allows(self.tags)


LOCAL: Final = Caller("rmq-internal", frozenset({ADMINISTRATOR}), "unix")
NOBODY: Final = Caller("", frozenset(), "")


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
    management: ManagementContext, user: str, password: bytes, host: str, port: int
) -> Caller:
    """Return the caller who has these credentials; raises 401."""
    from_loopback = host.startswith("127.") or host == "::1" or host.startswith("::ffff:127.")
    found = await management.logins.check(user, password, host, from_loopback)
    if found is None:
        raise login_failed()
    return Caller(user, found.tags, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


def check(caller: Caller, level: Level) -> None:
    """Raise 401 for a caller whose tags are not enough."""
    for each in (Level.MANAGEMENT, level):
        if not caller.may(each):
            raise not_authorised(each.refusal)


def may_enter(management: ManagementContext, caller: Caller, vhost: str) -> bool:
    """Whether a caller may see what is in a virtual host."""
    if caller.may(Level.ADMINISTRATOR):
        return True
    return management.context.permissions.of(caller.user, vhost) is not None


def check_vhost(management: ManagementContext, caller: Caller, vhost: str) -> None:
    """Raise 401 for a virtual host that the caller may not enter; one that is missing is nobody's secret."""
    if vhost in management.vhosts and not may_enter(management, caller, vhost):
        raise not_authorised("User not authorised to access virtual host")
