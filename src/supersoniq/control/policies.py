"""Policies and operator policies: set and cleared, in force at once."""

from supersoniq.broker.policies import Policy
from supersoniq.broker.policy_settings import policy_of
from supersoniq.broker.validation import ValidationFailed
from supersoniq.control import kept as kinds
from supersoniq.control.actor import Actor
from supersoniq.control.errors import Invalid, Missing
from supersoniq.control.kept import Kept
from supersoniq.control.names import check_name
from supersoniq.control.telling import Teller
from supersoniq.control.vhosts import VHostChanges


def policy_value(policy: Policy) -> dict[str, object]:
    """Return what a policy says, in RabbitMQ's words."""
    return {
        "pattern": policy.pattern,
        "apply-to": policy.apply_to,
        "definition": policy.definition,
        "priority": policy.priority,
    }


def checked_policy(
    name: str, pattern: object, apply_to: object, priority: object, definition: object, is_operator: bool
) -> Policy:
    """Return the policy that values of JSON describe; raises Invalid."""
    check_name("policy", name)
    try:
        return policy_of(name, pattern, apply_to, priority, definition, is_operator)
    except ValidationFailed as error:
        raise Invalid(str(error)) from None


def kind_of(is_operator: bool) -> str:
    """Return the kind of the setting of a policy."""
    return kinds.OPERATOR_POLICY if is_operator else kinds.POLICY


class PolicyChanges:
    """Changes policies."""

    def __init__(self, vhosts: VHostChanges, kept: Kept, teller: Teller) -> None:
        self._vhosts = vhosts
        self._kept = kept
        self._teller = teller

    def put(self, vhost: str, policies: list[Policy], actor: Actor) -> int:
        """Set policies, each in place of its namesake; all of them at once cost as much as one."""
        place = self._vhosts.vhost(vhost)
        with self._kept.together():
            for policy in policies:
                self._kept.put(kind_of(policy.is_operator), vhost, policy.name, policy_value(policy))
            place.policies.put(policies)
        for policy in policies:
            value, named = policy_value(policy), {"vhost": vhost, "name": policy.name}
            if policy.is_operator:
                component = {"component": kinds.OPERATOR_POLICY, "value": value}
                self._teller.tell(actor, "parameter.set", {**named, **component})
            self._teller.tell(actor, "policy.set", {**named, **value})
        return self._kept.sequence

    def delete(self, vhost: str, name: str, is_operator: bool, actor: Actor) -> int:
        """Clear a policy."""
        place = self._vhosts.vhost(vhost)
        with self._kept.together():
            if not place.policies.remove(name, is_operator):
                raise Missing("operator policy" if is_operator else "policy", name)
            self._kept.remove(kind_of(is_operator), vhost, name)
        named: dict[str, object] = {"vhost": vhost, "name": name}
        if is_operator:
            self._teller.tell(actor, "parameter.cleared", {**named, "component": kinds.OPERATOR_POLICY})
            self._teller.tell(actor, "operator.policy.cleared", dict(named))
        else:
            self._teller.tell(actor, "policy.cleared", named)
        return self._kept.sequence
