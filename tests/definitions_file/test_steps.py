"""Each part of a document is a step that can be looked at before and after."""

import json
from typing import Any

import pytest
from tests.control.site import ALICE, Site

from supersoniq.control.administration import Administration
from supersoniq.definitions_file.document import DocumentError, parse_document
from supersoniq.definitions_file.steps import steps_of

WHOLE: dict[str, Any] = {
    "bindings": [
        {"vhost": "v", "source": "e", "destination": "q", "destination_type": "queue", "routing_key": "k"},
        {"vhost": "v", "source": "e", "destination": "f", "destination_type": "exchange", "routing_key": ""},
    ],
    "queues": [{"vhost": "v", "name": "q", "durable": True, "arguments": {"x-max-length": 3}}],
    "exchanges": [
        {"vhost": "v", "name": "e", "type": "topic", "durable": True, "internal": True},
        {"vhost": "v", "name": "f", "type": "fanout", "durable": False, "auto_delete": True},
    ],
    "parameters": [
        {"vhost": "v", "component": "vhost-limits", "name": "limits", "value": {"max-queues": 7}},
        {
            "vhost": "v",
            "component": "operator_policy",
            "name": "o",
            "value": {"pattern": "^q", "definition": {"expires": 9}},
        },
    ],
    "policies": [{"vhost": "v", "name": "p", "pattern": "^q", "definition": {"max-length": 9}}],
    "global_parameters": [{"name": "g", "value": [1]}],
    "topic_permissions": [{"user": "u", "vhost": "v", "exchange": "e", "write": "a", "read": "b"}],
    "permissions": [{"user": "u", "vhost": "v", "configure": "a", "write": "b", "read": "c"}],
    "users": [{"name": "u", "tags": ["t"], "limits": {"max-channels": 5}}],
    "vhosts": [{"name": "v", "description": "d"}],
}
ORDER = [
    "vhost",
    "user",
    "permission",
    "topic_permission",
    "global_parameter",
    "policy",
    "operator_policy",
    "exchange",
    "exchange",
    "queue",
    "binding",
    "binding",
    "vhost_limits",
]
AFTER: list[dict[str, object]] = [
    {"description": "d", "tags": (), "default_queue_type": "", "tracing": False},
    {"password": None, "tags": ["t"], "limits": {"max-channels": 5}},
    {"configure": "a", "write": "b", "read": "c"},
    {"exchange": "e", "write": "a", "read": "b"},
    {"value": [1]},
    {"pattern": "^q", "apply-to": "all", "definition": {"max-length": 9}, "priority": 0},
    {"pattern": "^q", "apply-to": "all", "definition": {"expires": 9}, "priority": 0},
    {"type": "topic", "durable": True, "auto_delete": False, "internal": True, "arguments": {}},
    {"type": "fanout", "durable": False, "auto_delete": True, "internal": False, "arguments": {}},
    {"durable": True, "auto_delete": False, "arguments": {"x-max-length": 3}},
    {"destination_type": "queue", "routing_key": "k", "arguments": {}},
    {"destination_type": "exchange", "routing_key": "", "arguments": {}},
    {"max-queues": 7},
]


@pytest.fixture
def administration(site: Site) -> Administration:
    """One that has nothing."""
    return site.administration


@pytest.fixture
def site() -> Site:
    return Site()


def document(**parts: Any) -> bytes:
    return json.dumps(parts).encode()


def test_steps_come_in_an_order_in_which_they_can_be_done(administration: Administration) -> None:
    steps = steps_of(parse_document(document(**WHOLE)), {})
    assert [step.kind for step in steps] == ORDER
    assert [step.picture(administration) for step in steps] == [None] * len(steps)
    for step, wanted in zip(steps, AFTER, strict=True):
        step.apply(administration, ALICE)
        assert step.picture(administration) == wanted, step.place
        step.apply(administration, ALICE)
        assert step.picture(administration) == wanted, step.place


def test_places_are_those_in_the_document() -> None:
    steps = steps_of(parse_document(document(**WHOLE)), {})
    places = {step.kind: step.place for step in steps}
    assert places["binding"] == "bindings[1]"
    assert places["operator_policy"] == "parameters[1] 'o'"
    assert places["vhost_limits"] == "parameters[0]"


def test_event_says_who_imports(site: Site) -> None:
    for step in steps_of(parse_document(document(vhosts=[{"name": "v"}])), {}):
        step.apply(site.administration, ALICE)
    site.vhosts["v"].announcer.events = site.events
    site.events.take()
    for step in steps_of(parse_document(document(queues=WHOLE["queues"])), {}):
        step.apply(site.administration, ALICE)
    (event,) = site.events.take()
    assert (event[0], event[1]["user_who_performed_action"]) == ("queue.created", "alice")


def test_parameter_that_is_none_names_its_place() -> None:
    with pytest.raises(DocumentError, match=r"^parameters\[0\]\.value: expected"):
        steps_of(
            parse_document(
                document(parameters=[{"vhost": "v", "component": "vhost-limits", "name": "n", "value": 5}])
            ),
            {},
        )
