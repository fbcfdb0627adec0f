"""What is exported is what RabbitMQ would export, and it comes back as it was."""

import json

import pytest
from tests.control.site import ALICE, HASH, Site

from supersoniq.amqp.tables import table_of
from supersoniq.auth.passwords import hash_password
from supersoniq.control.administration import Administration
from supersoniq.definitions_file.document import parse_document
from supersoniq.definitions_file.export import export_node, export_vhost
from supersoniq.definitions_file.importing import Import


@pytest.fixture
def furnished(site: Site) -> Administration:
    """One that has something of everything."""
    administration = site.furnish()
    administration.put_vhost("shop", "a shop", ["a", "b"], "quorum", True, ALICE)
    administration.put_user("ann", hash_password(b"x"), frozenset({"z", "a"}), ALICE)
    administration.put_user_limits("ann", {"max-channels": 3}, ALICE)
    administration.put_permission("ann", "shop", "a", "b", "c", ALICE)
    administration.put_topic_permission("ann", "shop", "amq.topic", "b", "c", ALICE)
    administration.put_policy("shop", "p", "^a", "queues", 3, {"max-length": 5}, False, ALICE)
    administration.put_policy("shop", "o", "^a", "queues", 3, {"max-length": 5}, True, ALICE)
    administration.put_vhost_limits("shop", {"max-queues": 50}, ALICE)
    administration.put_global_parameter("g", {"a": 1}, ALICE)
    shop = site.vhosts["shop"]
    arguments = table_of({"x-max-length": 5, "x-dead-letter-exchange": "e"})
    queue = shop.declare_queue(b"dur", True, False, False, arguments, 0)
    transient = shop.declare_queue(b"trans", False, False, True, {}, 0)
    exclusive = shop.declare_queue(b"excl", False, True, False, {}, 7)
    shop.open_reply_queue()
    shop.declare_exchange(b"e", "topic", True, False, False, table_of({"alternate-exchange": "amq.fanout"}))
    shop.declare_exchange(b"int", "direct", True, True, True, {})
    late = table_of({"x-delayed-type": "fanout", "x-message-deduplication": True})
    shop.declare_exchange(b"late", "x-delayed-message", True, False, False, late)
    shop.bind(b"e", queue, b"k.#", table_of({"x": 1}))
    shop.bind(b"e", exclusive, b"z", {})
    shop.bind(b"amq.direct", transient, b"k", {})
    shop.bind(b"amq.direct", shop.exchanges[b"int"], b"q", {})
    return administration


def test_parts_are_those_of_rabbitmq(furnished: Administration) -> None:
    exported = export_node(furnished, "RabbitMQ", "3.13.7")
    assert list(exported) == [
        "rabbit_version",
        "rabbitmq_version",
        "product_name",
        "product_version",
        "users",
        "vhosts",
        "permissions",
        "topic_permissions",
        "parameters",
        "global_parameters",
        "policies",
        "queues",
        "exchanges",
        "bindings",
    ]
    value = {"pattern": "^a", "apply-to": "queues", "definition": {"max-length": 5}, "priority": 3}
    assert exported["policies"] == [{"vhost": "shop", "name": "p", **value}]
    assert exported["parameters"] == [
        {"value": {"max-queues": 50}, "vhost": "shop", "component": "vhost-limits", "name": "limits"},
        {"value": value, "vhost": "shop", "component": "operator_policy", "name": "o"},
    ]
    said = {"description": "a shop", "tags": ["a", "b"], "default_queue_type": "quorum"}
    assert exported["vhosts"] == [
        {"name": "/", "description": "", "tags": [], "metadata": {"description": "", "tags": []}},
        {"name": "shop", **said, "metadata": said, "tracing": True},
    ]


def test_what_others_could_not_declare_is_left_out(furnished: Administration) -> None:
    exported = export_vhost(furnished, "shop", "3.13.7")
    assert exported["queues"] == [
        {
            "name": "dur",
            "durable": True,
            "auto_delete": False,
            "arguments": {"x-queue-type": "quorum", "x-max-length": 5, "x-dead-letter-exchange": "e"},
        },
        {"name": "trans", "durable": False, "auto_delete": True, "arguments": {}},
    ]
    exchanges, bindings = exported["exchanges"], exported["bindings"]
    assert isinstance(exchanges, list)
    assert isinstance(bindings, list)
    assert [each["name"] for each in exchanges] == ["e", "int", "late"]
    assert [(each["source"], each["destination"], each["destination_type"]) for each in bindings] == [
        ("amq.direct", "trans", "queue"),
        ("amq.direct", "int", "exchange"),
        ("e", "dur", "queue"),
    ]
    assert not any("vhost" in each for each in [*exchanges, *bindings])


def test_hash_of_its_own_stands_beside_an_empty_one(furnished: Administration) -> None:
    exported = export_node(furnished, "RabbitMQ", "3.13.7")
    users = exported["users"]
    assert isinstance(users, list)
    guest, bob, ann = users
    assert guest == {
        "name": "guest",
        "password_hash": HASH.encoded,
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": ["administrator"],
        "limits": {},
    }
    assert (bob["password_hash"], ann["password_hash"]) == ("", "")
    assert ann["hashing_algorithm"] == "rabbit_password_hashing_sha256"
    assert ann["supersoniq_password"]["hashing_algorithm"] == "scrypt"
    assert (ann["tags"], ann["limits"]) == (["a", "z"], {"max-channels": 3})


def test_everything_comes_back_in_another_node(furnished: Administration) -> None:
    furnished.put_user("guest", hash_password(b"guest", "rabbit_password_hashing_sha512"), frozenset(), ALICE)
    exported = export_node(furnished, "RabbitMQ", "3.13.7")
    other = Site().administration
    imported = Import(other, parse_document(json.dumps(exported).encode()), {}).run(ALICE)
    assert imported.leftovers == []
    again = export_node(other, "RabbitMQ", "3.13.7")
    assert again == exported


def test_one_vhost_comes_back_under_another_name(furnished: Administration) -> None:
    exported = export_vhost(furnished, "shop", "3.13.7")
    furnished.put_vhost("copy", "", [], "", False, ALICE)
    document = parse_document(json.dumps(exported).encode(), vhost="copy")
    Import(furnished, document, {}).run(ALICE)
    again = json.loads(json.dumps(export_vhost(furnished, "copy", "3.13.7")).replace('"copy"', '"shop"'))
    assert again == json.loads(json.dumps(exported))
