"""What a document says is made as a whole or not at all, beside what is there already."""

import json
import logging
from typing import Any

import pytest
from tests.fakes import FakeStore, FixedNames

from supersoniq.amqp.tables import table_of
from supersoniq.broker.limits import UserLimits
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost
from supersoniq.definitions_file.document import DocumentError, parse_document
from supersoniq.definitions_file.load import Loader


class Site:
    """The virtual hosts of a node, of which `/` is there."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.vhosts = {"/": self.make("/")}
        self.user_limits: dict[str, UserLimits] = {}

    def make(self, name: str) -> VHost:
        return VHost(name, Turn(), self.store, FixedNames())

    def load(self, **parts: Any) -> None:
        document = parse_document(json.dumps(parts).encode())
        Loader(document, self.vhosts, self.make, stage).load({"guest"}, self.limits_of)

    def limits_of(self, user: str) -> UserLimits:
        return self.user_limits.setdefault(user, UserLimits())

    def refusal(self, **parts: Any) -> str:
        """What is said to a document that cannot be loaded; nothing has changed by it."""
        before = (list(self.vhosts), list(self.store.log), self.policies())
        with pytest.raises(DocumentError) as caught:
            self.load(**parts)
        assert (list(self.vhosts), list(self.store.log), self.policies()) == before
        text = str(caught.value)
        assert "\n" not in text
        return text

    def policies(self) -> list[str]:
        return [name for vhost in self.vhosts.values() for name in vhost.policies.user.by_name]


def stage(name: str) -> VHost:
    return VHost(name, Turn(), FakeStore(), FixedNames())


@pytest.fixture
def site() -> Site:
    return Site()


def queue(name: str = "q", vhost: str = "/", durable: bool = True, **more: Any) -> dict[str, Any]:
    return {"name": name, "vhost": vhost, "durable": durable, "auto_delete": False, "arguments": {}, **more}


def exchange(name: str = "e", vhost: str = "/", kind: str = "topic", **more: Any) -> dict[str, Any]:
    return {"name": name, "vhost": vhost, "type": kind, "durable": True, "arguments": {}, **more}


def binding(source: str, destination: str, to: str = "queue", **more: Any) -> dict[str, Any]:
    given = {"source": source, "destination": destination, "destination_type": to}
    return {**given, "vhost": "/", "routing_key": "k", "arguments": {}, **more}


def policy(name: str = "p", vhost: str = "/", **definition: Any) -> dict[str, Any]:
    named = {key.replace("_", "-"): value for key, value in definition.items()}
    return {
        "vhost": vhost,
        "name": name,
        "pattern": "",
        "apply-to": "all",
        "definition": named,
        "priority": 1,
    }


def parameter(component: str, value: Any, vhost: str = "/") -> dict[str, Any]:
    return {"component": component, "vhost": vhost, "name": "n", "value": value}


def test_all_kinds_of_things_are_made(site: Site) -> None:
    site.load(
        vhosts=[{"name": "shop"}],
        exchanges=[exchange(), exchange("f", "shop", "fanout")],
        queues=[queue(), queue("r", "shop", arguments={"x-max-length": 5})],
        bindings=[binding("e", "q"), binding("amq.direct", "e", "exchange", arguments={"x": [1]})],
    )
    root, shop = site.vhosts["/"], site.vhosts["shop"]
    assert root.exchanges[b"e"].kind == "topic"
    assert shop.exchanges[b"f"].kind == "fanout"
    assert int(shop.queues[b"r"].rules.max_length) == 5
    assert [each.source.name for each in root.queues[b"q"].inbound] == [b"e"]
    assert [each.source.name for each in root.exchanges[b"e"].inbound] == [b"amq.direct"]
    assert site.store.log == [
        "declared exchange e",
        "declared exchange f",
        "declared queue q",
        "declared queue r",
        "declared binding e > q",
        "declared binding amq.direct > e",
    ]


def test_what_is_there_and_equal_is_left_alone(site: Site) -> None:
    parts: dict[str, Any] = {
        "vhosts": [{"name": "/"}],
        "exchanges": [exchange(), exchange("amq.topic"), exchange("", kind="direct")],
        "queues": [queue()],
        "bindings": [binding("e", "q"), binding("", "q", routing_key="q")],
    }
    site.load(**parts)
    before, log = site.vhosts["/"].queues[b"q"], list(site.store.log)
    site.load(**parts)
    assert site.vhosts["/"].queues[b"q"] is before
    assert site.store.log == log


def test_type_beside_the_arguments_is_the_type(site: Site) -> None:
    site.load(
        queues=[
            queue("a", type="quorum"),
            queue("b", type="classic"),
            queue("c", type="quorum", arguments={"x-queue-type": "quorum"}),
        ]
    )
    queues = site.vhosts["/"].queues
    assert [queues[name].options.queue_type for name in (b"a", b"b", b"c")] == [
        b"quorum",
        b"classic",
        b"quorum",
    ]


def test_policies_of_both_kinds_count(site: Site) -> None:
    there = site.vhosts["/"].declare_queue(b"there", False, False, False, {}, 1)
    operators = {"pattern": "^q", "definition": {"max-length": 3}, "priority": 0, "apply-to": "queues"}
    site.load(
        policies=[policy(max_length=9)],
        parameters=[parameter("operator_policy", operators)],
        queues=[queue()],
    )
    assert int(there.rules.max_length) == 9
    new = site.vhosts["/"].queues[b"q"]
    assert new.effective_definition() == {"max-length": 3}
    assert (new.policy is there.policy, there.operator_policy) == (True, None)
    assert new.operator_policy is not None
    assert new.operator_policy.name == "n"


def test_export_of_rabbitmq_is_loaded(site: Site) -> None:
    """Version 3.10.8 writes some maps as lists of pairs."""
    site.load(
        vhosts=[{"name": "/", "limits": [["max-connections", 7]], "metadata": {"tags": []}}],
        parameters=[
            parameter("vhost-limits", [["max-queues", 20]]),
            parameter(
                "operator_policy",
                {"apply-to": "queues", "definition": [["message-ttl", 30000]], "pattern": "", "priority": 4},
            ),
        ],
        queues=[queue(type="classic")],
    )
    assert site.vhosts["/"].limits.definition() == {"max-connections": 7, "max-queues": 20}
    assert int(site.vhosts["/"].queues[b"q"].rules.message_ttl_ms) == 30000


def test_limits_count_once_all_is_loaded(site: Site) -> None:
    site.load(
        vhosts=[{"name": "shop", "limits": [{"name": "max-connections", "value": 4}]}],
        parameters=[parameter("vhost-limits", {"max-queues": 0})],
        users=[
            {"name": "guest", "limits": {"max-channels": 7}},
            {"name": "bob", "limits": {"max-channels": 1}},
        ],
        queues=[queue()],
    )
    assert site.vhosts["/"].limits.definition() == {"max-queues": 0}
    assert site.vhosts["shop"].limits.definition() == {"max-connections": 4}
    assert {name: limits.definition() for name, limits in site.user_limits.items()} == {
        "guest": {"max-channels": 7}
    }


def test_queue_that_differs_is_refused(site: Site) -> None:
    site.vhosts["/"].declare_queue(b"q", True, False, False, table_of({"x-max-length": 1}), 1)
    said = site.refusal(vhosts=[{"name": "new"}], exchanges=[exchange()], queues=[queue("first"), queue()])
    assert said.startswith("queues[1]: inequivalent arg 'x-max-length' for queue 'q' in vhost '/': ")


def test_queue_of_a_connection_is_refused(site: Site) -> None:
    site.vhosts["/"].declare_queue(b"q", False, True, False, {}, 7)
    assert "cannot obtain exclusive access" in site.refusal(queues=[queue("first"), queue(durable=False)])


def test_exchange_that_differs_is_refused(site: Site) -> None:
    site.vhosts["/"].declare_exchange(b"e", "fanout", True, False, False, {})
    said = site.refusal(queues=[queue()], exchanges=[exchange()])
    assert said.startswith("exchanges[0]: inequivalent arg 'type' for exchange 'e' in vhost '/'")


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ({"queues": [queue(vhost="no")]}, "queues[0]: there is no vhost 'no'"),
        ({"exchanges": [exchange(vhost="no")]}, "exchanges[0]: there is no vhost 'no'"),
        ({"bindings": [binding("e", "q", vhost="no")]}, "bindings[0]: there is no vhost 'no'"),
        ({"policies": [policy(vhost="no", expires=1)]}, "policies[0]: there is no vhost 'no'"),
        ({"parameters": [parameter("vhost-limits", {}, "no")]}, "parameters[0]: there is no vhost 'no'"),
        ({"exchanges": [exchange(kind="x-none")]}, "exchanges[0]: unknown exchange type 'x-none'"),
        ({"exchanges": [exchange("amq.x")]}, "exchanges[0]: exchange name 'amq.x' contains reserved"),
        ({"queues": [queue(arguments={"x-expires": 0})]}, "queues[0]: invalid arg 'x-expires'"),
        ({"queues": [queue(), queue(durable=False)]}, "queues[1]: inequivalent arg 'durable'"),
        ({"bindings": [binding("amq.topic", "q")]}, "bindings[0]: no queue 'q' in vhost '/'"),
        ({"queues": [queue()], "bindings": [binding("e", "q")]}, "bindings[0]: no exchange 'e' in"),
        ({"policies": [policy(expires=0)]}, "policies[0] 'p': Validation failed 0 is not a valid queue"),
        (
            {"parameters": [parameter("operator_policy", {"definition": {}})]},
            "parameters[0].value.pattern: field required",
        ),
        (
            {
                "parameters": [
                    parameter("operator_policy", {"pattern": "", "definition": {"queue-mode": "lazy"}})
                ]
            },
            "parameters[0] 'n': Validation failed",
        ),
        ({"parameters": [parameter("vhost-limits", 5)]}, "parameters[0].value: expected a valid dictionary"),
        ({"parameters": [parameter("operator_policy", 5)]}, "parameters[0].value.pattern: field required"),
        ({"vhosts": [{"name": "v", "limits": {"max-x": 1}}]}, "vhosts[0].limits: Validation failed"),
        ({"users": [{"name": "guest", "limits": {"max-x": 1}}]}, "users[0].limits: Validation failed"),
    ],
)
def test_document_that_is_wrong_anywhere_changes_nothing(
    site: Site, parts: dict[str, Any], text: str
) -> None:
    sound = {"vhosts": [{"name": "sound"}], "policies": [], "exchanges": [], "queues": []}
    assert site.refusal(**{**sound, **parts}).startswith(text)


def test_binding_may_lead_to_what_was_there_before(site: Site) -> None:
    there = site.vhosts["/"].declare_queue(b"there", True, False, False, {}, 1)
    site.vhosts["/"].declare_exchange(b"source", "fanout", True, False, False, {})
    site.load(bindings=[binding("source", "there")])
    assert len(there.inbound) == 1


def test_what_is_left_out_is_told_in_one_line_each(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        site.load(
            users=[{"name": "zoe"}, {"name": "guest"}, {"name": "bob"}],
            permissions=[{"user": "bob", "vhost": "/", "configure": "", "write": "", "read": ""}],
            parameters=[
                parameter("shovel", {}),
                parameter("federation-upstream", {}),
                parameter("shovel", {}),
            ],
        )
    assert caplog.messages == [
        "definitions: users that are not in the configuration are skipped: bob, zoe",
        "definitions: permissions are skipped: every user may do everything",
        "definitions: parameters of these components are skipped: federation-upstream, shovel",
    ]


def test_nothing_is_told_when_nothing_is_left_out(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        site.load(users=[{"name": "guest"}], queues=[queue()])
    assert caplog.messages == []
