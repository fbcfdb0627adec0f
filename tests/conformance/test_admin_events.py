"""What operators change over HTTP is told of as by RabbitMQ's event exchange."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pika
import pytest
from pika.compat import long
from tests.conformance.event_log import EventLog
from tests.management.api import Api

BY = {"user_who_performed_action": "guest"}
# What RabbitMQ 3.10 says of its own implementation.
ERLANG = {"metadata", "cluster_state"}


class Desk:
    """An administrator, with names that nobody else uses, and what is heard of them."""

    def __init__(self, api: Api, url: str) -> None:
        self.api = api
        mark = uuid.uuid4().hex[:12]
        self.vhost, self.user = f"admin-events-{mark}", f"ben-{mark}"
        self._connection = pika.BlockingConnection(pika.URLParameters(url))
        self.log = EventLog(self._connection)

    def heard(self, last: str, *names: str) -> list[tuple[str, dict[str, Any]]]:
        """What was heard up to `last` of the virtual host and the user, or of `names`."""
        found = self.log.named(last, *(names or (self.vhost, self.user)))
        self.log.events.clear()
        return [
            (event.name, {name: value for name, value in event.fields().items() if name not in ERLANG})
            for event in found
        ]

    def open(self) -> str:
        """Make the virtual host; returns the path of things in it."""
        self.api.put(f"/api/vhosts/{self.vhost}")
        self.heard("permission.created")
        self.log.forget()
        return self.vhost

    def hire(self) -> str:
        """Make the user."""
        self.api.put(f"/api/users/{self.user}", {"password": "pw", "tags": ""})
        self.heard("user.created")
        self.log.forget()
        return self.user

    def close(self) -> None:
        for path in (f"/api/vhosts/{self.vhost}", f"/api/users/{self.user}"):
            assert self.api.ask("DELETE", path).status in (204, 404)
        self._connection.close()


@pytest.fixture
def desk(api_url: str, url: str) -> Iterator[Desk]:
    made = Desk(Api(api_url), url)
    yield made
    made.close()


def test_virtual_host_comes_with_its_exchanges(desk: Desk) -> None:
    desk.api.put(f"/api/vhosts/{desk.vhost}", {"description": "mine", "tags": "a,b"})
    *exchanges, vhost, permission = desk.heard("permission.created")
    assert permission == (
        "permission.created",
        {**BY, "user": "guest", "vhost": desk.vhost, "configure": ".*", "write": ".*", "read": ".*"},
    )
    assert vhost == (
        "vhost.created",
        {
            **BY, "name": desk.vhost, "description": "mine", "tags": ["a", "b"], "tracing": False,
            "default_queue_type": "undefined",
        },
    )  # fmt: skip
    created = {fields["name"]: fields["type"] for _, fields in exchanges}
    assert created == {
        "": "direct", "amq.direct": "direct", "amq.fanout": "fanout", "amq.topic": "topic",
        "amq.match": "headers", "amq.headers": "headers", "amq.rabbitmq.trace": "topic",
    }  # fmt: skip


def test_virtual_host_that_is_changed_and_deleted(desk: Desk) -> None:
    vhost = desk.open()
    desk.api.put(f"/api/vhosts/{vhost}", {"description": "other"})
    [(_, updated)] = [each for each in desk.heard("vhost.updated") if each[0] == "vhost.updated"]
    assert (updated["name"], updated["description"]) == (vhost, "other")
    desk.api.put(f"/api/queues/{vhost}/q", {"durable": True})
    desk.api.put(f"/api/permissions/{vhost}/guest", {"configure": "", "write": "", "read": ""})
    desk.heard("permission.created")
    desk.api.delete(f"/api/vhosts/{vhost}")
    found = desk.heard("vhost.deleted")
    assert ("vhost.deleted", {**BY, "name": vhost}) in found
    assert ("queue.deleted", {**BY, "name": "q", "vhost": vhost}) in found
    assert ("exchange.deleted", {**BY, "name": "amq.topic", "vhost": vhost}) in found
    assert ("permission.deleted", {**BY, "user": "guest", "vhost": vhost}) in found


def test_user_from_hiring_to_dismissal(desk: Desk) -> None:
    path = f"/api/users/{desk.user}"
    desk.api.put(path, {"password": "pw", "tags": "management"})
    assert desk.heard("user.tags.set") == [
        ("user.created", {**BY, "name": desk.user}),
        ("user.tags.set", {**BY, "name": desk.user, "tags": ["management"]}),
    ]
    desk.api.put(path, {"password": "other", "tags": "monitoring,own"})
    changed, (name, fields) = desk.heard("user.tags.set")
    assert changed == ("user.password.changed", {**BY, "name": desk.user})
    assert (name, sorted(fields["tags"])) == ("user.tags.set", ["monitoring", "own"])
    desk.api.delete(path)
    assert desk.heard("user.deleted") == [("user.deleted", {**BY, "name": desk.user})]


def test_limits_of_a_user(desk: Desk) -> None:
    path = f"/api/user-limits/{desk.hire()}/max-connections"
    desk.api.put(path, {"value": 5})
    [(name, fields)] = desk.heard("user.limits.set")
    assert (name, fields) == (
        "user.limits.set", {**BY, "name": "limits", "username": desk.user, "max-connections": 5},
    )  # fmt: skip
    assert isinstance(fields["max-connections"], long)
    desk.api.delete(path)
    assert desk.heard("user.limits.cleared") == [
        ("user.limits.cleared", {**BY, "name": "limits", "username": desk.user})
    ]


def test_permissions(desk: Desk) -> None:
    vhost, user = desk.open(), desk.hire()
    path = f"/api/permissions/{vhost}/{user}"
    patterns = {"configure": "^a", "write": "^b", "read": "^c"}
    desk.api.put(path, patterns)
    assert desk.heard("permission.created") == [
        ("permission.created", {**BY, **patterns, "user": user, "vhost": vhost})
    ]
    desk.api.delete(path)
    assert desk.heard("permission.deleted") == [("permission.deleted", {**BY, "user": user, "vhost": vhost})]
    topic = {"exchange": "amq.topic", "write": "^a", "read": "^b"}
    path = f"/api/topic-permissions/{vhost}/{user}"
    desk.api.put(path, topic)
    assert desk.heard("topic.permission.created") == [
        ("topic.permission.created", {**BY, **topic, "user": user, "vhost": vhost})
    ]
    desk.api.delete(path)
    assert desk.heard("topic.permission.deleted") == [
        ("topic.permission.deleted", {**BY, "user": user, "vhost": vhost})
    ]


def test_policies(desk: Desk) -> None:
    vhost = desk.open()
    body = {"pattern": "^x", "definition": {"max-length": 5}, "priority": 2, "apply-to": "queues"}
    path = f"/api/policies/{vhost}/p"
    desk.api.put(path, body)
    [(name, fields)] = desk.heard("policy.set")
    assert (name, fields) == ("policy.set", {**BY, **body, "name": "p", "vhost": vhost})
    assert isinstance(fields["definition"]["max-length"], long)
    desk.api.delete(path)
    assert desk.heard("policy.cleared") == [("policy.cleared", {**BY, "name": "p", "vhost": vhost})]


def test_operator_policies(desk: Desk) -> None:
    vhost = desk.open()
    body = {"pattern": "^x", "definition": {"max-length": 5}, "priority": 2, "apply-to": "queues"}
    path = f"/api/operator-policies/{vhost}/p"
    named = {**BY, "name": "p", "vhost": vhost}
    desk.api.put(path, body)
    assert desk.heard("policy.set") == [
        ("parameter.set", {**named, "component": "operator_policy", "value": body}),
        ("policy.set", {**named, **body}),
    ]
    desk.api.delete(path)
    assert desk.heard("operator.policy.cleared") == [
        ("parameter.cleared", {**named, "component": "operator_policy"}),
        ("operator.policy.cleared", named),
    ]


def test_limits_of_a_virtual_host(desk: Desk) -> None:
    vhost = desk.open()
    desk.api.put(f"/api/vhost-limits/{vhost}/max-queues", {"value": 5})
    found = desk.heard("parameter.set", vhost)
    assert found[0] == (
        "parameter.set",
        {**BY, "name": "limits", "component": "vhost-limits", "vhost": vhost, "value": {"max-queues": 5}},
    )


def test_global_parameter(desk: Desk) -> None:
    name = desk.vhost
    desk.api.put(f"/api/global-parameters/{name}", {"name": name, "value": {"a": [1, "x"]}})
    assert desk.heard("parameter.set") == [
        ("parameter.set", {**BY, "name": name, "component": "global", "value": {"a": [1, "x"]}})
    ]
    desk.api.delete(f"/api/global-parameters/{name}")


def test_what_is_made_over_http_is_the_callers(desk: Desk) -> None:
    vhost = desk.open()
    desk.api.put(f"/api/permissions/{vhost}/guest", {"configure": ".*", "write": ".*", "read": ".*"})
    desk.log.forget()
    desk.api.put(f"/api/queues/{vhost}/q", {"durable": True, "arguments": {"x-max-length": 3}})
    desk.api.put(f"/api/exchanges/{vhost}/e", {"type": "topic", "durable": True})
    desk.api.post(f"/api/bindings/{vhost}/e/e/q/q", {"routing_key": "k"})
    desk.api.delete(f"/api/exchanges/{vhost}/e")
    desk.api.delete(f"/api/queues/{vhost}/q")
    about = [
        (name, fields["user_who_performed_action"])
        for name, fields in desk.heard("queue.deleted")
        if name.startswith(("queue.", "exchange.", "binding."))
    ]
    assert about == [
        (name, "guest")
        for name in (
            "queue.created", "exchange.created", "binding.created", "exchange.deleted", "binding.deleted",
            "queue.deleted",
        )
    ]  # fmt: skip
