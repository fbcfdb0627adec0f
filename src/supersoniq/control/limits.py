"""Limits of virtual hosts: set and cleared, in force at once. Those of users belong to the users."""

from collections.abc import Mapping
from typing import Final

from supersoniq.broker.limits import VHostLimits
from supersoniq.broker.validation import ValidationFailed
from supersoniq.control import kept as kinds
from supersoniq.control.actor import Actor
from supersoniq.control.errors import Invalid
from supersoniq.control.kept import Kept
from supersoniq.control.telling import Teller
from supersoniq.control.vhosts import VHostChanges

# The component and the name of the parameter that they are in RabbitMQ's definitions.
COMPONENT: Final = "vhost-limits"
NAME: Final = "limits"


def check_limits(values: Mapping[str, object]) -> None:
    """Raise Invalid for what are no limits of a virtual host."""
    try:
        VHostLimits().put(dict(values))
    except ValidationFailed as error:
        raise Invalid(str(error)) from None


class LimitChanges:
    """Changes limits."""

    def __init__(self, vhosts: VHostChanges, kept: Kept, teller: Teller) -> None:
        self._vhosts = vhosts
        self._kept = kept
        self._teller = teller

    def put(self, vhost: str, values: Mapping[str, object], actor: Actor) -> int:
        """Set limits by their names, and leave the others."""
        limits = self._vhosts.vhost(vhost).limits
        check_limits(values)
        limits.put(dict(values))
        return self._keep(vhost, limits, actor)

    def replace(self, vhost: str, values: Mapping[str, object], actor: Actor) -> int:
        """Set limits by their names, and no others."""
        limits = self._vhosts.vhost(vhost).limits
        check_limits(values)
        limits.clear()
        limits.put(dict(values))
        return self._keep(vhost, limits, actor)

    def clear(self, vhost: str, names: list[str] | None, actor: Actor) -> int:
        """Remove limits, all if `names` is None; those that are not set are fine."""
        limits = self._vhosts.vhost(vhost).limits
        left = {} if names is None else {k: v for k, v in limits.definition().items() if k not in names}
        limits.clear()
        limits.put(dict(left))
        return self._keep(vhost, limits, actor)

    def _keep(self, vhost: str, limits: VHostLimits, actor: Actor) -> int:
        value = limits.definition()
        parameter: dict[str, object] = {"component": COMPONENT, "vhost": vhost, "name": NAME}
        if not value:
            self._teller.tell(actor, "parameter.cleared", parameter)
            self._teller.tell(actor, "vhost.limits.cleared", {"vhost": vhost, "name": NAME})
            return self._kept.remove(kinds.VHOST_LIMITS, vhost, NAME)
        self._teller.tell(actor, "parameter.set", {**parameter, "value": value})
        self._teller.tell(actor, "vhost.limits.set", {"vhost": vhost, "name": NAME, **value})
        return self._kept.put(kinds.VHOST_LIMITS, vhost, NAME, value)
