"""Parameters: values that components of a virtual host go by, and global ones.

Of components there are operator policies and limits; those of RabbitMQ's plugins are not known, as there
without the plugin.
"""

import json
from typing import Final

from supersoniq.broker.vhost import VHost
from supersoniq.control import kept as kinds
from supersoniq.control import limits
from supersoniq.control.actor import Actor
from supersoniq.control.errors import Invalid, Missing
from supersoniq.control.kept import Kept
from supersoniq.control.limits import LimitChanges
from supersoniq.control.names import check_name
from supersoniq.control.policies import PolicyChanges, checked_policy, policy_value
from supersoniq.control.ports import NodeParts
from supersoniq.control.telling import Teller
from supersoniq.control.vhosts import VHostChanges

POLICY: Final = "policy"
OPERATOR_POLICY: Final = "operator_policy"
CLUSTER_NAME: Final = "cluster_name"
# Says which node it was, for those who gather metrics; made once, and never taken over from a file.
CLUSTER_ID: Final = "internal_cluster_id"


def parameters_of(vhosts: dict[str, VHost]) -> dict[tuple[str, str, str], object]:
    """Return all parameters by component, virtual host and name."""
    found: dict[tuple[str, str, str], object] = {}
    for name, vhost in vhosts.items():
        definition = vhost.limits.definition()
        if definition:
            found[limits.COMPONENT, name, limits.NAME] = definition
        for policy in vhost.policies.operator.by_name.values():
            found[OPERATOR_POLICY, name, policy.name] = policy_value(policy)
    return found


class ParameterChanges:
    """Changes parameters of components."""

    def __init__(self, vhosts: VHostChanges, policies: PolicyChanges, limit_changes: LimitChanges) -> None:
        self._vhosts = vhosts
        self._policies = policies
        self._limits = limit_changes

    def put(self, component: str, vhost: str, name: str, value: object, actor: Actor) -> int:
        """Set a parameter."""
        self._vhosts.vhost(vhost)
        if component == OPERATOR_POLICY:
            values = value if isinstance(value, dict) else {}
            policy = checked_policy(
                name,
                values.get("pattern"),
                values.get("apply-to", "all"),
                values.get("priority", 0),
                values.get("definition"),
                True,
            )
            return self._policies.put(vhost, [policy], actor)
        if component == limits.COMPONENT and name == limits.NAME:
            # A map without anything in it is an empty list where RabbitMQ writes it.
            values = value if isinstance(value, dict) else dict(_pairs(value))
            return self._limits.replace(vhost, values, actor)
        if component == POLICY:
            raise Invalid("policies may not be set using this method")
        raise Invalid(f"Validation failed\n\ncomponent {component} not found\n")

    def delete(self, component: str, vhost: str, name: str, actor: Actor) -> int:
        """Remove a parameter."""
        place = self._vhosts.vhost(vhost)
        if component == OPERATOR_POLICY and name in place.policies.operator.by_name:
            return self._policies.delete(vhost, name, True, actor)
        if component == limits.COMPONENT and name == limits.NAME and place.limits.definition():
            return self._limits.clear(vhost, None, actor)
        raise Missing("parameter", f"{component}/{name}")


def _pairs(value: object) -> list[tuple[str, object]]:
    if value == []:
        return []
    raise Invalid("Validation failed\n\nlimits should be a map\n")


class GlobalParameterChanges:
    """Changes global parameters, `values` by name."""

    def __init__(self, values: dict[str, object], kept: Kept, teller: Teller, node: NodeParts) -> None:
        self._values = values
        self._kept = kept
        self._teller = teller
        self._node = node

    def put(self, name: str, value: object, actor: Actor) -> int:
        """Set a global parameter."""
        check_name("global parameter", name)
        if name == CLUSTER_NAME and (not isinstance(value, str) or not value):
            raise Invalid("the cluster name should be a text that is not empty")
        try:
            json.dumps(value, allow_nan=False)
        except ValueError:
            raise Invalid(f"the value of global parameter '{name}' is no JSON") from None
        self.recall(name, value)
        fields = {"component": "global", "name": name, "value": value}
        self._teller.tell(actor, "parameter.set", fields)
        return self._kept.put(kinds.GLOBAL_PARAMETER, "", name, value)

    def delete(self, name: str, actor: Actor) -> int:
        """Remove a global parameter."""
        if name not in self._values:
            raise Missing("global parameter", name)
        del self._values[name]
        if name == CLUSTER_NAME:
            self._node.cluster_name_changed("")
        self._teller.tell(actor, "parameter.cleared", {"component": "global", "name": name})
        return self._kept.remove(kinds.GLOBAL_PARAMETER, "", name)

    def recall(self, name: str, value: object) -> None:
        """Know a global parameter, and go by it."""
        self._values[name] = value
        if name == CLUSTER_NAME and isinstance(value, str):
            self._node.cluster_name_changed(value)
