"""What a document says is made as a whole or not at all, beside what is there already."""

import json
from typing import Any

import pytest
from tests.control.site import ALICE, HASH, OTHER_HASH, Site

from supersoniq.amqp.tables import table_of
from supersoniq.auth.passwords import SHA256, PasswordHash, hash_password, verify
from supersoniq.auth.permissions import Permission, TopicPermission
from supersoniq.control.records import VHostMetadata
from supersoniq.definitions_file.document import DocumentError, parse_document
from supersoniq.definitions_file.export import export_node
from supersoniq.definitions_file.importing import Difference, Import, Imported
from supersoniq.definitions_file.passwords import password_hashes


class Place(Site):
    """A node with the virtual host `/` and the user guest."""

    def __init__(self) -> None:
        super().__init__()
        self.administration.put_vhost("/", "", [], "", False, ALICE)
        self.administration.put_user("guest", HASH, frozenset({"administrator"}), ALICE)
        self.fake_store.log.clear()
        self.events.take()

    def importing(self, **parts: Any) -> Import:
        document = parse_document(json.dumps(parts).encode())
        return Import(self.administration, document, password_hashes(document, {}))

    def load(self, **parts: Any) -> Imported:
        return self.importing(**parts).run(ALICE)

    def declared(self) -> list[str]:
        """What was written since the last call."""
        log = [line for line in self.fake_store.log if line not in ("begin", "commit")]
        self.fake_store.log.clear()
        return log

    def refusal(self, **parts: Any) -> str:
        """What is said to a document that cannot be loaded; nothing has changed by it."""
        before = export_node(self.administration, "x", "1")
        log = list(self.fake_store.log)
        with pytest.raises(DocumentError) as caught:
            self.load(**parts)
        assert export_node(self.administration, "x", "1") == before
        assert self.fake_store.log == log
        text = str(caught.value)
        assert "\n" not in text
        return text


@pytest.fixture
def site() -> Place:
    return Place()


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


def test_all_kinds_of_things_are_made(site: Place) -> None:
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
    assert site.declared() == [
        "declared vhost /shop",
        "declared exchange e",
        "declared exchange f",
        "declared queue q",
        "declared queue r",
        "declared binding e > q",
        "declared binding amq.direct > e",
    ]


def test_what_is_there_and_equal_is_left_alone(site: Place) -> None:
    parts: dict[str, Any] = {
        "vhosts": [{"name": "/"}],
        "exchanges": [exchange(), exchange("amq.topic"), exchange("", kind="direct")],
        "queues": [queue()],
        "bindings": [binding("e", "q"), binding("", "q", routing_key="q")],
    }
    site.load(**parts)
    before = site.vhosts["/"].queues[b"q"]
    site.declared()
    site.load(**parts)
    assert site.vhosts["/"].queues[b"q"] is before
    assert site.declared() == []


def test_type_beside_the_arguments_is_the_type(site: Place) -> None:
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


def test_policies_of_both_kinds_count(site: Place) -> None:
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


def test_export_of_rabbitmq_is_loaded(site: Place) -> None:
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


def test_limits_count_once_all_is_loaded(site: Place) -> None:
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
        "guest": {"max-channels": 7},
        "bob": {"max-channels": 1},
    }


def test_queue_that_differs_is_refused(site: Place) -> None:
    site.vhosts["/"].declare_queue(b"q", True, False, False, table_of({"x-max-length": 1}), 1)
    said = site.refusal(vhosts=[{"name": "new"}], exchanges=[exchange()], queues=[queue("first"), queue()])
    assert said.startswith("queues[1]: inequivalent arg 'x-max-length' for queue 'q' in vhost '/': ")


def test_queue_of_a_connection_is_refused(site: Place) -> None:
    site.vhosts["/"].declare_queue(b"q", False, True, False, {}, 7)
    assert "cannot obtain exclusive access" in site.refusal(queues=[queue("first"), queue(durable=False)])


def test_exchange_that_differs_is_refused(site: Place) -> None:
    site.vhosts["/"].declare_exchange(b"e", "fanout", True, False, False, {})
    said = site.refusal(queues=[queue()], exchanges=[exchange()])
    assert said.startswith("exchanges[0]: inequivalent arg 'type' for exchange 'e' in vhost '/'")


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ({"queues": [queue(vhost="no")]}, "queues[0]: no such vhost 'no'"),
        ({"exchanges": [exchange(vhost="no")]}, "exchanges[0]: no such vhost 'no'"),
        ({"bindings": [binding("e", "q", vhost="no")]}, "bindings[0]: no such vhost 'no'"),
        ({"policies": [policy(vhost="no", expires=1)]}, "policies[0] 'p': no such vhost 'no'"),
        ({"parameters": [parameter("vhost-limits", {}, "no")]}, "parameters[0]: no such vhost 'no'"),
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
        ({"users": [{"name": "guest", "limits": {"max-x": 1}}]}, "users[0]: Unrecognised terms"),
    ],
)
def test_document_that_is_wrong_anywhere_changes_nothing(
    site: Place, parts: dict[str, Any], text: str
) -> None:
    sound = {"vhosts": [{"name": "sound"}], "policies": [], "exchanges": [], "queues": []}
    assert site.refusal(**{**sound, **parts}).startswith(text)


def test_binding_may_lead_to_what_was_there_before(site: Place) -> None:
    there = site.vhosts["/"].declare_queue(b"there", True, False, False, {}, 1)
    site.vhosts["/"].declare_exchange(b"source", "fanout", True, False, False, {})
    site.load(bindings=[binding("source", "there")])
    assert len(there.inbound) == 1


SHA256_OF_X = hash_password(b"x", SHA256).encoded
USER = {"name": "ann", "password_hash": HASH.encoded, "hashing_algorithm": HASH.algorithm}


def test_users_come_with_all_they_have(site: Place) -> None:
    site.load(
        users=[
            {
                **USER,
                "password_hash": SHA256_OF_X,
                "tags": ["management", "own"],
                "limits": {"max-channels": 4},
            },
            {"name": "old", "password_hash": SHA256_OF_X, "tags": "monitoring, management"},
            {
                "name": "mq",
                "password_hash": SHA256_OF_X,
                "hashing_algorithm": "SHA256",
                "tags": "administrator",
            },
            {"name": "clear", "password": "x"},
            {"name": "none", "password_hash": "", "tags": []},
        ],
        permissions=[{"user": "ann", "vhost": "/", "configure": "a", "write": "b", "read": "c"}],
        topic_permissions=[{"user": "ann", "vhost": "/", "exchange": "e", "write": "b", "read": "c"}],
    )
    users = site.administration.users
    for name in ("ann", "old", "mq", "clear"):
        user = users.get(name)
        assert user is not None
        assert user.password is not None
        assert verify(b"x", user.password), name
    found = {user.name: (sorted(user.tags), user.limits) for user in users}
    assert found["ann"] == (["management", "own"], {"max-channels": 4})
    assert found["old"] == (["management", "monitoring"], {})
    assert found["mq"] == (["administrator"], {})
    none = users.get("none")
    assert none is not None
    assert none.password is None
    permissions = site.administration.permissions
    assert permissions.of("ann", "/") == Permission("a", "b", "c")
    assert permissions.topic_of("ann", "/", "e") == TopicPermission("b", "c")


def test_user_that_is_there_keeps_what_the_document_does_not_say(site: Place) -> None:
    site.administration.put_user_limits("guest", {"max-channels": 9}, ALICE)
    site.load(users=[{"name": "guest"}])
    guest = site.administration.users.get("guest")
    assert guest is not None
    assert (guest.password, guest.tags, guest.limits) == (
        HASH,
        frozenset({"administrator"}),
        {"max-channels": 9},
    )


def test_hash_that_rabbitmq_does_not_have_counts_before_the_empty_one(site: Place) -> None:
    password = hash_password(b"secret")
    beside = {"password_hash": password.encoded, "hashing_algorithm": password.algorithm}
    site.load(users=[{"name": "ann", "password_hash": "", "supersoniq_password": beside}])
    ann = site.administration.users.get("ann")
    assert ann is not None
    assert ann.password == password


def test_vhosts_come_with_what_is_said_of_them_here_or_there(site: Place) -> None:
    site.load(
        vhosts=[
            {"name": "a", "description": "d", "tags": "x,y"},
            {"name": "b", "metadata": {"description": "e", "tags": ["z"], "default_queue_type": "quorum"}},
            {"name": "c", "default_queue_type": "undefined", "tracing": True},
        ]
    )
    site.load(vhosts=[{"name": "a"}, {"name": "b", "description": "f"}])
    metadata = site.administration.vhost_metadata
    assert metadata["a"] == VHostMetadata("d", ("x", "y"))
    assert metadata["b"] == VHostMetadata("f", ("z",), "quorum")
    assert metadata["c"] == VHostMetadata(tracing=True)


def test_global_parameters_come_but_not_who_the_other_cluster_was(site: Place) -> None:
    site.load(
        global_parameters=[
            {"name": "cluster_name", "value": "mine"},
            {"name": "internal_cluster_id", "value": "rabbitmq-cluster-id-x"},
        ]
    )
    assert site.administration.global_parameters == {"cluster_name": "mine"}


def test_it_is_one_transaction_and_counted(site: Place) -> None:
    imported = site.load(
        vhosts=[{"name": "/", "description": "changed"}, {"name": "new"}],
        users=[{**USER, "password_hash": SHA256_OF_X}],
        queues=[queue()],
        policies=[policy("a", expires=1), policy("b", "new", expires=1), policy("c", expires=1)],
    )
    assert (site.fake_store.log[0], site.fake_store.log[-1]) == ("begin", "commit")
    assert site.fake_store.log.count("begin") == 1
    assert (imported.created, imported.changed) == (6, 1)
    assert imported.sequence == site.fake_store.sequence
    name, fields = site.events.take()[-1]
    assert name == "supersoniq.definitions.imported"
    assert (fields["created"], fields["changed"], fields["left_out"]) == (6, 1, 0)
    assert fields["user_who_performed_action"] == "alice"


def test_loading_again_changes_writes_and_tells_nothing(site: Place) -> None:
    parts: dict[str, Any] = {
        "vhosts": [{"name": "new", "description": "d", "limits": {"max-queues": 5}}],
        "users": [{**USER, "password_hash": SHA256_OF_X, "tags": ["t"], "limits": {"max-channels": 3}}],
        "permissions": [{"user": "ann", "vhost": "new", "configure": "", "write": "", "read": ""}],
        "policies": [policy(expires=1)],
        "parameters": [parameter("operator_policy", {"pattern": "", "definition": {"expires": 5}})],
        "global_parameters": [{"name": "g", "value": [1]}],
        "queues": [queue()],
        "exchanges": [exchange()],
        "bindings": [binding("e", "q")],
    }
    site.load(**parts)
    assert site.events.take() != []
    log = len(site.fake_store.log)
    imported = site.load(**parts)
    assert site.fake_store.log[log:] == ["begin", "commit"]
    assert site.events.take() == []
    assert (imported.created, imported.changed) == (0, 0)


def test_what_stands_twice_is_as_it_stands_last(site: Place) -> None:
    site.administration.put_policy("/", "p", "", "all", 1, {"expires": 1}, False, ALICE)
    site.load(policies=[policy(expires=2), policy(expires=1)])
    assert site.vhosts["/"].policies.user.by_name["p"].definition == {"expires": 1}


def test_limit_that_is_there_refuses_before_anything_is_made(site: Place) -> None:
    root = site.vhosts["/"]
    for name in (b"1", b"2"):
        root.declare_queue(name, True, False, False, {}, 0)
    root.open_reply_queue()
    site.administration.put_vhost_limits("/", {"max-queues": 4}, ALICE)
    said = site.refusal(queues=[queue("1"), queue("3"), queue("4"), queue("5")])
    assert said.startswith("queues[3]: cannot declare queue '5': queue limit in vhost '/' (")
    site.load(queues=[queue("1"), queue("3"), queue("4")])
    assert len(root.queues) == 5


def test_queue_of_a_node_with_another_default_type_is_the_same(site: Place) -> None:
    site.administration.put_vhost("/", "", [], "quorum", False, ALICE)
    site.load(queues=[queue()])
    site.declared()
    site.load(queues=[queue()])
    assert site.declared() == []


def test_permission_of_nobody_is_refused(site: Place) -> None:
    nobody = {"user": "eve", "vhost": "/", "configure": "", "write": "", "read": ""}
    assert site.refusal(permissions=[nobody]) == "permissions[0]: no such user 'eve'"
    bad = {"user": "guest", "vhost": "/", "configure": "(", "write": "", "read": ""}
    assert site.refusal(permissions=[bad]).startswith("permissions[0]: invalid pattern '('")


def test_password_hash_that_is_none_is_refused_without_being_shown(site: Place) -> None:
    beside = {"password_hash": "hunter2", "hashing_algorithm": "scrypt"}
    said = site.refusal(users=[{"name": "ann", "supersoniq_password": beside}])
    assert said == "users[0]: not a hash of scrypt"


def test_differences_say_what_would_be_done_and_do_nothing(site: Place) -> None:
    site.vhosts["/"].declare_queue(b"there", True, False, False, {}, 0)
    site.vhosts["/"].declare_queue(b"other", True, False, False, {}, 0)
    site.administration.put_policy("/", "p", "", "all", 1, {"expires": 1}, False, ALICE)
    before = export_node(site.administration, "x", "1")
    log = list(site.fake_store.log)
    found = site.importing(
        vhosts=[{"name": "new"}],
        users=[{"name": "guest", "password_hash": SHA256_OF_X}],
        policies=[policy(expires=2)],
        queues=[queue("there"), queue("other", durable=False), queue("late", "new")],
        bindings=[binding("amq.topic", "there"), binding("nowhere", "there")],
    ).differences(ALICE)
    assert [(each.kind, each.name, each.action) for each in found] == [
        ("vhost", "new", "create"),
        ("user", "guest", "change"),
        ("policy", "p", "change"),
        ("queue", "there", "keep"),
        ("queue", "other", "refuse"),
        ("queue", "late", "create"),
        ("binding", "amq.topic > there", "create"),
        ("binding", "nowhere > there", "refuse"),
    ]
    assert found[1].changed == ("password",)
    assert SHA256_OF_X not in repr(found)
    assert HASH.encoded not in repr(found)
    assert found[2].changed == ("definition",)
    assert found[4].reason.startswith("queues[1]: inequivalent arg 'durable'")
    assert found[6] == Difference(
        "binding",
        "/",
        "amq.topic > there",
        "create",
        after={"destination_type": "queue", "routing_key": "k", "arguments": {}},
    )
    assert export_node(site.administration, "x", "1") == before
    assert site.fake_store.log == log


def test_import_for_one_vhost_puts_everything_there(site: Place) -> None:
    site.administration.put_vhost("shop", "", [], "", False, ALICE)
    here = {name: value for name, value in queue().items() if name != "vhost"}
    data = {
        "users": [{"name": "eve"}],
        "vhosts": [{"name": "elsewhere"}],
        "queues": [here],
        "policies": [policy(vhost="elsewhere", expires=1)],
        "parameters": [parameter("vhost-limits", {"max-queues": 7}, "elsewhere")],
    }
    document = parse_document(json.dumps(data).encode(), vhost="shop")
    Import(site.administration, document, {}).run(ALICE)
    shop = site.vhosts["shop"]
    assert (list(shop.queues), list(shop.policies.user.by_name)) == ([b"q"], ["p"])
    assert shop.limits.definition() == {"max-queues": 7}
    assert set(site.vhosts) == {"/", "shop"}
    assert "eve" not in site.administration.users


def test_others_password_hash_is_left_alone_by_a_document_that_has_another_user(site: Place) -> None:
    site.administration.put_user("bob", OTHER_HASH, frozenset(), ALICE)
    site.load(users=[{"name": "ann", "password": "x"}])
    bob = site.administration.users.get("bob")
    assert bob is not None
    assert bob.password == OTHER_HASH
    assert isinstance(bob.password, PasswordHash)
