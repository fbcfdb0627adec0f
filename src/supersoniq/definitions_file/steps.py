"""Steps: the parts of a document as single changes, each of which can be looked at before and after."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from supersoniq.amqp.primitives import octets
from supersoniq.amqp.tables import Table, plain, table_of
from supersoniq.auth.passwords import PasswordHash, imported_hash
from supersoniq.broker.exchanges.base import Binding
from supersoniq.broker.policies import Policy
from supersoniq.broker.queues.queue import NOBODY
from supersoniq.broker.vhost import VHost
from supersoniq.control.actor import Actor
from supersoniq.control.administration import Administration
from supersoniq.control.errors import Missing
from supersoniq.control.parameters import CLUSTER_ID
from supersoniq.control.policies import checked_policy, policy_value
from supersoniq.definitions_file.document import (
    BindingPart,
    Document,
    DocumentError,
    ExchangePart,
    GlobalParameterPart,
    PermissionPart,
    PolicyPart,
    QueuePart,
    TopicPermissionPart,
    UserPart,
    VHostPart,
)

# What is there of a thing, by names; None if it is not there.
Picture = dict[str, object] | None


class Step(ABC):
    """One part of a document. `place` is where it stands there, `queues[3]`."""

    def __init__(self, place: str, kind: str, vhost: str, name: str) -> None:
        self.place = place
        self.kind = kind
        self.vhost = vhost
        self.name = name

    @abstractmethod
    def picture(self, administration: Administration) -> Picture:
        """Return what is there."""

    @abstractmethod
    def apply(self, administration: Administration, actor: Actor) -> None:
        """Change it; raises ControlError, AMQPError or DocumentError."""

    def rehearse(self, stage: Administration, actor: Actor) -> None:
        """Do the same on a stage."""
        self.apply(stage, actor)


class VHostStep(Step):
    """Makes a virtual host, or changes what is said of it."""

    def __init__(self, place: str, part: VHostPart) -> None:
        super().__init__(place, "vhost", part.name, part.name)
        self._said = part.said()

    def picture(self, administration: Administration) -> Picture:
        """Return what is said of it."""
        metadata = administration.vhost_metadata.get(self.name)
        return None if metadata is None else metadata._asdict()

    def apply(self, administration: Administration, actor: Actor) -> None:
        """Leave what the document does not say."""
        values: dict[str, Any] = self.picture(administration) or {}
        values |= self._said.model_dump(exclude_none=True)
        administration.put_vhost(
            self.name,
            values.get("description", ""),
            list(values.get("tags", [])),
            values.get("default_queue_type", ""),
            values.get("tracing", False),
            actor,
        )


class UserStep(Step):
    """Makes a user, or gives it another password, tags and limits."""

    def __init__(self, place: str, part: UserPart, hashes: Mapping[str, PasswordHash]) -> None:
        super().__init__(place, "user", "", part.name)
        self._part = part
        self._hashes = hashes

    def picture(self, administration: Administration) -> Picture:
        """Return all of it."""
        user = administration.users.get(self.name)
        if user is None:
            return None
        return {"password": user.password, "tags": sorted(user.tags), "limits": user.limits}

    def apply(self, administration: Administration, actor: Actor) -> None:
        """Leave what the document does not say."""
        part, user = self._part, administration.users.get(self.name)
        password = None if user is None else user.password
        if part.supersoniq_password is not None:
            password = _imported(
                part.supersoniq_password.password_hash, part.supersoniq_password.hashing_algorithm
            )
        elif part.password_hash is not None:
            password = _imported(part.password_hash, part.hashing_algorithm)
        else:
            password = self._hashes.get(self.name, password)
        tags = frozenset() if user is None else user.tags
        administration.put_user(
            self.name, password, tags if part.tags is None else frozenset(part.tags), actor
        )
        if part.limits:
            administration.put_user_limits(self.name, part.limits, actor)


def _imported(encoded: str, algorithm: str) -> PasswordHash | None:
    try:
        return imported_hash(encoded, algorithm)
    except ValueError as error:
        raise DocumentError(str(error)) from None


class PermissionStep(Step):
    """Lets a user into a virtual host."""

    def __init__(self, place: str, part: PermissionPart) -> None:
        super().__init__(place, "permission", part.vhost, part.user)
        self._part = part

    def picture(self, administration: Administration) -> Picture:
        """Return the patterns."""
        permission = administration.permissions.of(self.name, self.vhost)
        if permission is None:
            return None
        return {"configure": permission.configure, "write": permission.write, "read": permission.read}

    def apply(self, administration: Administration, actor: Actor) -> None:
        """Do it."""
        part = self._part
        administration.put_permission(part.user, part.vhost, part.configure, part.write, part.read, actor)


class TopicPermissionStep(Step):
    """Says which routing keys a user may use."""

    def __init__(self, place: str, part: TopicPermissionPart) -> None:
        super().__init__(place, "topic_permission", part.vhost, part.user)
        self._part = part

    def picture(self, administration: Administration) -> Picture:
        """Return the patterns, and for which exchange."""
        exchange = self._part.exchange
        permission = administration.permissions.topic_of(self.name, self.vhost, exchange)
        if permission is None:
            return None
        return {"exchange": exchange, "write": permission.write, "read": permission.read}

    def apply(self, administration: Administration, actor: Actor) -> None:
        """Do it."""
        part = self._part
        administration.put_topic_permission(
            part.user, part.vhost, part.exchange, part.write, part.read, actor
        )


class GlobalParameterStep(Step):
    """Sets a global parameter."""

    def __init__(self, place: str, part: GlobalParameterPart) -> None:
        super().__init__(place, "global_parameter", "", part.name)
        self._value = part.value

    def picture(self, administration: Administration) -> Picture:
        """Return the value."""
        values = administration.global_parameters
        return {"value": values[self.name]} if self.name in values else None

    def apply(self, administration: Administration, actor: Actor) -> None:
        """Do it."""
        administration.put_global_parameter(self.name, self._value, actor)


class PolicyStep(Step):
    """Sets a policy."""

    def __init__(self, place: str, part: PolicyPart, is_operator: bool) -> None:
        super().__init__(
            f"{place} '{part.name}'", "operator_policy" if is_operator else "policy", part.vhost, part.name
        )
        self._part = part
        self._is_operator = is_operator

    def picture(self, administration: Administration) -> Picture:
        """Return what it says."""
        vhost = administration.vhosts.get(self.vhost)
        if vhost is None:
            return None
        policies = vhost.policies.operator if self._is_operator else vhost.policies.user
        policy = policies.by_name.get(self.name)
        return None if policy is None else policy_value(policy)

    def policy(self) -> Policy:
        """Return it; raises Invalid."""
        part = self._part
        return checked_policy(
            part.name, part.pattern, part.apply_to, part.priority, part.definition, self._is_operator
        )

    def apply(self, administration: Administration, actor: Actor) -> None:
        """Do it."""
        administration.put_policies(self.vhost, [self.policy()], actor)

    def rehearse(self, stage: Administration, actor: Actor) -> None:
        """Put it there without a look at the queues, which would be one at all of them for each policy."""
        policies = _vhost(stage, self.vhost).policies
        (policies.operator if self._is_operator else policies.user).put([self.policy()])


class LimitsStep(Step):
    """Sets the limits of a virtual host; the others stay."""

    def __init__(self, place: str, vhost: str, values: Mapping[str, Any]) -> None:
        super().__init__(place, "vhost_limits", vhost, vhost)
        self._values = values

    def picture(self, administration: Administration) -> Picture:
        """Return them, None if there are none."""
        vhost = administration.vhosts.get(self.vhost)
        return None if vhost is None else dict(vhost.limits.definition()) or None

    def apply(self, administration: Administration, actor: Actor) -> None:
        """Do it."""
        administration.put_vhost_limits(self.vhost, self._values, actor)


class ExchangeStep(Step):
    """Declares an exchange."""

    def __init__(self, place: str, part: ExchangePart) -> None:
        super().__init__(place, "exchange", part.vhost, part.name)
        self._part = part

    def picture(self, administration: Administration) -> Picture:
        """Return how it was declared."""
        vhost = administration.vhosts.get(self.vhost)
        exchange = None if vhost is None else vhost.exchanges.get(octets(self.name))
        if exchange is None:
            return None
        return {
            "type": exchange.kind,
            "durable": exchange.durable,
            "auto_delete": exchange.auto_delete,
            "internal": exchange.internal,
            "arguments": plain(exchange.arguments),
        }

    def apply(self, administration: Administration, actor: Actor) -> None:
        """Do it; the default exchange is always there."""
        part = self._part
        vhost = _vhost(administration, self.vhost)
        if self.name:
            with vhost.announcer.acting(actor.name, actor.address):
                vhost.declare_exchange(
                    octets(part.name),
                    part.type,
                    part.durable,
                    part.auto_delete,
                    part.internal,
                    table_of(part.arguments),
                )


class QueueStep(Step):
    """Declares a queue."""

    def __init__(self, place: str, part: QueuePart) -> None:
        super().__init__(place, "queue", part.vhost, part.name)
        self._part = part

    def picture(self, administration: Administration) -> Picture:
        """Return how it was declared."""
        vhost = administration.vhosts.get(self.vhost)
        queue = None if vhost is None else vhost.queues.get(octets(self.name))
        if queue is None:
            return None
        return {
            "durable": queue.durable,
            "auto_delete": queue.auto_delete,
            "arguments": plain(queue.options.arguments),
        }

    def apply(self, administration: Administration, actor: Actor) -> None:
        """Do it."""
        part = self._part
        arguments: Table = table_of(part.arguments)
        if part.type is not None and part.type != "classic" and b"x-queue-type" not in arguments:
            arguments |= table_of({"x-queue-type": part.type})
        vhost = _vhost(administration, self.vhost)
        with vhost.announcer.acting(actor.name, actor.address):
            vhost.declare_queue(octets(part.name), part.durable, False, part.auto_delete, arguments, NOBODY)


class BindingStep(Step):
    """Binds."""

    def __init__(self, place: str, part: BindingPart) -> None:
        super().__init__(place, "binding", part.vhost, f"{part.source} > {part.destination}")
        self._part = part

    def picture(self, administration: Administration) -> Picture:
        """Return what it is, if it is there."""
        part = self._part
        shown: Picture = {
            "destination_type": part.destination_type,
            "routing_key": part.routing_key,
            "arguments": part.arguments,
        }
        if not part.source:
            return shown
        vhost = administration.vhosts.get(self.vhost)
        if vhost is None:
            return None
        source, name = vhost.exchanges.get(octets(part.source)), octets(part.destination)
        is_queue = part.destination_type == "queue"
        destination = vhost.queues.get(name) if is_queue else vhost.exchanges.get(name)
        if source is None or destination is None:
            return None
        binding = Binding(source, destination, octets(part.routing_key), table_of(part.arguments))
        return shown if source.has(binding) else None

    def apply(self, administration: Administration, actor: Actor) -> None:
        """Do it; bindings to the default exchange are always there."""
        part, name = self._part, octets(self._part.destination)
        vhost = _vhost(administration, self.vhost)
        if not part.source:
            return
        is_queue = part.destination_type == "queue"
        destination = vhost.queue(name, NOBODY) if is_queue else vhost.exchange(name)
        with vhost.announcer.acting(actor.name, actor.address):
            vhost.bind(octets(part.source), destination, octets(part.routing_key), table_of(part.arguments))


def _vhost(administration: Administration, name: str) -> VHost:
    vhost = administration.vhosts.get(name)
    if vhost is None:
        raise Missing("vhost", name)
    return vhost


def steps_of(document: Document, hashes: Mapping[str, PasswordHash]) -> list[Step]:
    """Return the steps in their order; limits come last. Raises DocumentError."""
    steps: list[Step] = []
    steps += [VHostStep(f"vhosts[{at}]", part) for at, part in enumerate(document.vhosts)]
    steps += [UserStep(f"users[{at}]", part, hashes) for at, part in enumerate(document.users)]
    steps += [PermissionStep(f"permissions[{at}]", part) for at, part in enumerate(document.permissions)]
    for at, topic in enumerate(document.topic_permissions):
        steps.append(TopicPermissionStep(f"topic_permissions[{at}]", topic))
    for at, parameter in enumerate(document.global_parameters):
        if parameter.name != CLUSTER_ID:
            steps.append(GlobalParameterStep(f"global_parameters[{at}]", parameter))
    steps += [PolicyStep(f"policies[{at}]", part, False) for at, part in enumerate(document.policies)]
    limits: list[Step] = [
        LimitsStep(f"vhosts[{at}].limits", part.name, part.limits)
        for at, part in enumerate(document.vhosts)
        if part.limits
    ]
    for at, part in enumerate(document.parameters):
        place = f"parameters[{at}]"
        try:
            if part.component == "operator_policy":
                steps.append(PolicyStep(place, part.policy(), True))
            else:
                limits.append(LimitsStep(place, part.vhost, part.limits()))
        except DocumentError as error:
            raise DocumentError(f"{place}.{error}") from None
    steps += [ExchangeStep(f"exchanges[{at}]", part) for at, part in enumerate(document.exchanges)]
    steps += [QueueStep(f"queues[{at}]", part) for at, part in enumerate(document.queues)]
    steps += [BindingStep(f"bindings[{at}]", part) for at, part in enumerate(document.bindings)]
    return steps + limits
