"""Virtual hosts, and what is set in them: permissions, policies, limits, parameters."""

from supersoniq.auth.permissions import Permission, TopicPermission
from supersoniq.broker.policies import Policy
from supersoniq.broker.vhost import VHost
from supersoniq.control.records import VHostMetadata
from supersoniq.management.context import ManagementContext
from supersoniq.management.listing import Columns
from supersoniq.management.views.common import Fields
from supersoniq.metrics.ranges import Ranges


class VHostViews:
    """Renders virtual hosts for one request, which wants samples of `ranges`."""

    def __init__(self, management: ManagementContext, ranges: Ranges) -> None:
        self._management = management
        self._ranges = ranges

    def render(self, vhost: VHost, columns: Columns) -> Fields:
        """Return a virtual host as RabbitMQ lists it."""
        metadata = self._management.administration.vhost_metadata.get(vhost.name, VHostMetadata())
        default_queue_type = metadata.default_queue_type or "undefined"
        fields: Fields = {
            "cluster_state": {self._management.facts.name: "running"},
            "default_queue_type": default_queue_type,
            "description": metadata.description,
            "metadata": {"description": metadata.description, "tags": list(metadata.tags)},
            "name": vhost.name,
            "tags": list(metadata.tags),
            "tracing": metadata.tracing,
        }
        if columns is None or not columns <= fields.keys():
            ranges = self._ranges
            stats = self._management.sampler.vhost(vhost, ranges.lengths, ranges.msg_rates, ranges.data_rates)
            fields |= stats if stats["message_stats"] else {**stats, "message_stats": {}}
        return fields


def vhost_name(vhost: VHost) -> str:
    """Return what filters look at."""
    return vhost.name


def permission_view(user: str, vhost: str, permission: Permission) -> Fields:
    """Return what a user may do in a virtual host."""
    return {
        "user": user,
        "vhost": vhost,
        "configure": permission.configure,
        "write": permission.write,
        "read": permission.read,
    }


def topic_permission_view(user: str, vhost: str, exchange: str, permission: TopicPermission) -> Fields:
    """Return which routing keys a user may use with a topic exchange."""
    return {
        "user": user,
        "vhost": vhost,
        "exchange": exchange,
        "write": permission.write,
        "read": permission.read,
    }


def policy_view(vhost: str, policy: Policy) -> Fields:
    """Return a policy."""
    return {
        "vhost": vhost,
        "name": policy.name,
        "pattern": policy.pattern,
        "apply-to": policy.apply_to,
        "definition": policy.definition,
        "priority": policy.priority,
    }


def policy_value(policy: Policy) -> Fields:
    """Return a policy as the parameter that it is."""
    return {
        "pattern": policy.pattern,
        "definition": policy.definition,
        "priority": policy.priority,
        "apply-to": policy.apply_to,
    }


def parameter_view(component: str, vhost: str, name: str, value: object) -> Fields:
    """Return a parameter."""
    return {"value": value, "vhost": vhost, "component": component, "name": name}
