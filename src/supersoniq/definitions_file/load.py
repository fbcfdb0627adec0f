"""Loading: what a document says is put into the virtual hosts of a node, all of it or nothing.

It is rehearsed first, in virtual hosts that are made for that, so that nothing is refused halfway.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from supersoniq.amqp.errors import AMQPError
from supersoniq.amqp.primitives import octets
from supersoniq.amqp.tables import Table, table_of
from supersoniq.broker.limits import UserLimits, VHostLimits
from supersoniq.broker.policies import Policy
from supersoniq.broker.policy_settings import policy_of
from supersoniq.broker.queues.queue import NOBODY
from supersoniq.broker.validation import ValidationFailed
from supersoniq.broker.vhost import VHost
from supersoniq.definitions_file.document import (
    BindingPart,
    Document,
    DocumentError,
    ExchangePart,
    PolicyPart,
    QueuePart,
)

logger = logging.getLogger(__name__)

MakeVHost = Callable[[str], VHost]
LimitsOf = Callable[[str], UserLimits]


class Loader:
    """Puts one document into a node.

    `make` returns a new virtual host, `rehearse` one that has no store and no consequences; `users` are the
    names of those who may log in.
    """

    def __init__(
        self, document: Document, vhosts: dict[str, VHost], make: MakeVHost, rehearse: MakeVHost
    ) -> None:
        self._document = document
        self._vhosts = vhosts
        self._make = make
        self._rehearse = rehearse

    def load(self, users: set[str], limits_of: LimitsOf) -> None:
        """Do it; raises DocumentError before anything is changed."""
        document = self._document
        names = [*self._vhosts, *[part.name for part in document.vhosts]]
        stages = {name: self._rehearse(name) for name in names}
        self._set_the_stage(stages)
        policies = _policies_of(document, stages)
        vhost_limits = _vhost_limits_of(document, stages)
        user_limits = _user_limits_of(document, users)
        _declare(document, stages)

        for name in names:
            if name not in self._vhosts:
                self._vhosts[name] = self._make(name)
        for name, wanted in policies.items():
            self._vhosts[name].policies.put(wanted)
        _declare(document, self._vhosts)
        for name, values in vhost_limits:
            self._vhosts[name].limits.put(values)
        for name, values in user_limits:
            limits_of(name).put(values)
        _warn(document, users)

    def _set_the_stage(self, stages: dict[str, VHost]) -> None:
        """Give each rehearsal what the document names and what is there already."""
        document = self._document
        exchanges = {(part.vhost, part.name) for part in document.exchanges}
        queues = {(part.vhost, part.name) for part in document.queues}
        for part in document.bindings:
            exchanges.add((part.vhost, part.source))
            (queues if part.destination_type == "queue" else exchanges).add((part.vhost, part.destination))
        for vhost, name in exchanges:
            exchange = self._vhosts[vhost].exchanges.get(octets(name)) if vhost in self._vhosts else None
            if exchange is not None and exchange.name not in stages[vhost].exchanges:
                stages[vhost].declare_exchange(
                    exchange.name,
                    exchange.kind,
                    exchange.durable,
                    exchange.auto_delete,
                    exchange.internal,
                    exchange.arguments,
                )
        for vhost, name in queues:
            queue = self._vhosts[vhost].queues.get(octets(name)) if vhost in self._vhosts else None
            if queue is not None:
                stages[vhost].declare_queue(
                    queue.name,
                    queue.durable,
                    queue.owner != NOBODY,
                    queue.auto_delete,
                    queue.options.arguments,
                    queue.owner,
                )


@contextmanager
def _said_at(place: str) -> Iterator[None]:
    """Have what is refused name the part that asked for it."""
    try:
        yield
    except DocumentError as error:
        raise DocumentError(f"{place}.{error}") from None
    except AMQPError as error:
        raise DocumentError(f"{place}: {error.text}") from None
    except ValidationFailed as error:
        raise DocumentError(f"{place}: {' '.join(str(error).split())}") from None


def _vhost_of(vhosts: dict[str, VHost], name: str, place: str) -> VHost:
    vhost = vhosts.get(name)
    if vhost is None:
        raise DocumentError(f"{place}: there is no vhost '{name}'")
    return vhost


# Policies and limits


def _policies_of(document: Document, vhosts: dict[str, VHost]) -> dict[str, list[Policy]]:
    """Return the policies for each virtual host."""
    policies: dict[str, list[Policy]] = {}
    for index, part in enumerate(document.policies):
        _add_policy(policies, f"policies[{index}]", vhosts, part, False)
    for index, parameter in enumerate(document.parameters):
        if parameter.component == "operator_policy":
            place = f"parameters[{index}]"
            with _said_at(place):
                part = parameter.policy()
            _add_policy(policies, place, vhosts, part, True)
    return policies


def _add_policy(
    policies: dict[str, list[Policy]],
    place: str,
    vhosts: dict[str, VHost],
    part: PolicyPart,
    is_operator: bool,
) -> None:
    _vhost_of(vhosts, part.vhost, place)
    with _said_at(f"{place} '{part.name}'"):
        policy = policy_of(
            part.name, part.pattern, part.apply_to, part.priority, part.definition, is_operator
        )
    policies.setdefault(part.vhost, []).append(policy)


def _vhost_limits_of(document: Document, vhosts: dict[str, VHost]) -> list[tuple[str, dict[str, Any]]]:
    """Return the limits of virtual hosts, checked."""
    found: list[tuple[str, str, dict[str, Any]]] = [
        (f"vhosts[{index}].limits", part.name, part.limits) for index, part in enumerate(document.vhosts)
    ]
    for index, parameter in enumerate(document.parameters):
        if parameter.component == "vhost-limits":
            with _said_at(f"parameters[{index}]"):
                found.append((f"parameters[{index}]", parameter.vhost, parameter.limits()))
    for place, name, values in found:
        _vhost_of(vhosts, name, place)
        with _said_at(place):
            VHostLimits().put(values)
    return [(name, values) for _, name, values in found]


def _user_limits_of(document: Document, users: set[str]) -> list[tuple[str, dict[str, Any]]]:
    """Return the limits of users, checked, of those that there are."""
    found: list[tuple[str, dict[str, Any]]] = []
    for index, part in enumerate(document.users):
        with _said_at(f"users[{index}].limits"):
            UserLimits().put(part.limits)
        if part.name in users:
            found.append((part.name, part.limits))
    return found


# Exchanges, queues, bindings


def _declare(document: Document, vhosts: dict[str, VHost]) -> None:
    """Make what is missing."""
    for index, exchange in enumerate(document.exchanges):
        place = f"exchanges[{index}]"
        if exchange.name:  # the default exchange is always there
            _declare_exchange(_vhost_of(vhosts, exchange.vhost, place), exchange, place)
    for index, queue in enumerate(document.queues):
        place = f"queues[{index}]"
        _declare_queue(_vhost_of(vhosts, queue.vhost, place), queue, place)
    for index, binding in enumerate(document.bindings):
        place = f"bindings[{index}]"
        if binding.source:  # so is every binding to it
            _bind(_vhost_of(vhosts, binding.vhost, place), binding, place)


def _declare_exchange(vhost: VHost, part: ExchangePart, place: str) -> None:
    with _said_at(place):
        vhost.declare_exchange(
            octets(part.name),
            part.type,
            part.durable,
            part.auto_delete,
            part.internal,
            table_of(part.arguments),
        )


def _declare_queue(vhost: VHost, part: QueuePart, place: str) -> None:
    arguments: Table = table_of(part.arguments)
    if part.type is not None and part.type != "classic" and b"x-queue-type" not in arguments:
        arguments |= table_of({"x-queue-type": part.type})
    with _said_at(place):
        vhost.declare_queue(octets(part.name), part.durable, False, part.auto_delete, arguments, NOBODY)


def _bind(vhost: VHost, part: BindingPart, place: str) -> None:
    name = octets(part.destination)
    with _said_at(place):
        destination = vhost.queue(name, NOBODY) if part.destination_type == "queue" else vhost.exchange(name)
        vhost.bind(octets(part.source), destination, octets(part.routing_key), table_of(part.arguments))


# What is left out


def _warn(document: Document, users: set[str]) -> None:
    """Tell what was not loaded, one line for each kind."""
    strangers = sorted({part.name for part in document.users} - users)
    if strangers:
        logger.warning(
            "definitions: users that are not in the configuration are skipped: %s", ", ".join(strangers)
        )
    if document.permissions or document.topic_permissions:
        logger.warning("definitions: permissions are skipped: every user may do everything")
    known = ("operator_policy", "vhost-limits")
    components = sorted({part.component for part in document.parameters} - set(known))
    if components:
        logger.warning("definitions: parameters of these components are skipped: %s", ", ".join(components))
