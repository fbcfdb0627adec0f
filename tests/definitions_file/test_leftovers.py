"""What cannot be honoured is left out of a document, and told."""

import json
from typing import Any

from tests.control.site import Site

from supersoniq.definitions_file.document import Document, parse_document
from supersoniq.definitions_file.leftovers import Leftover, leftovers_of, lines_of


def left(**parts: Any) -> tuple[Document, list[Leftover]]:
    site = Site()
    site.furnish()
    return leftovers_of(parse_document(json.dumps(parts).encode()), site.vhosts)


def queue(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "vhost": "/", "durable": True, **more}


def exchange(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "vhost": "/", "type": kind, "durable": True}


def binding(source: str, destination: str, kind: str) -> dict[str, Any]:
    ends = {"source": source, "destination": destination, "destination_type": kind}
    return {"vhost": "/", "routing_key": "", **ends}


def test_parameters_of_other_components_are_left_out() -> None:
    document, leftovers = left(
        parameters=[
            {"vhost": "/", "component": "shovel", "name": "s", "value": {}},
            {"vhost": "/", "component": "vhost-limits", "name": "limits", "value": {}},
            {"vhost": "/", "component": "federation-upstream", "name": "f", "value": {}},
        ]
    )
    assert [part.component for part in document.parameters] == ["vhost-limits"]
    assert leftovers == [
        Leftover("parameters of component shovel", "/", "s"),
        Leftover("parameters of component federation-upstream", "/", "f"),
    ]


def test_queues_and_exchanges_of_other_types_go_with_their_bindings() -> None:
    document, leftovers = left(
        queues=[
            queue("stream", arguments={"x-queue-type": "stream"}),
            queue("other", type="stream"),
            queue("kept", type="quorum"),
        ],
        exchanges=[
            exchange("jms", "x-jms-topic"),
            exchange("amq.rabbitmq.log", "topic"),
            exchange("amq.topic", "topic"),
            exchange("late", "x-delayed-message"),
            exchange("stream", "fanout"),
        ],
        bindings=[
            binding("jms", "kept", "queue"),
            binding("late", "stream", "queue"),
            binding("late", "stream", "exchange"),
            binding("late", "jms", "exchange"),
            binding("late", "kept", "queue"),
        ],
    )
    assert [part.name for part in document.queues] == ["kept"]
    assert [part.name for part in document.exchanges] == ["amq.topic", "late", "stream"]
    assert [(part.source, part.destination_type) for part in document.bindings] == [
        ("late", "exchange"),
        ("late", "queue"),
    ]
    assert [leftover.name for leftover in leftovers] == [
        "jms",
        "amq.rabbitmq.log",
        "stream",
        "other",
        "jms > kept",
        "late > stream",
        "late > jms",
    ]


def test_user_with_a_foreign_hash_has_no_password() -> None:
    document, leftovers = left(
        users=[
            {"name": "a", "password_hash": "x", "hashing_algorithm": "my_own_hashing", "tags": ["t"]},
            {"name": "b", "password_hash": "c2FsdA==", "hashing_algorithm": "SHA512"},
        ]
    )
    assert [part.password_hash for part in document.users] == [None, "c2FsdA=="]
    assert leftovers == [Leftover("passwords of users with hashes of my_own_hashing", "", "a")]


def test_default_queue_type_that_there_is_not_is_left_out() -> None:
    document, leftovers = left(
        vhosts=[
            {"name": "a", "description": "d", "metadata": {"default_queue_type": "stream"}},
            {"name": "b", "default_queue_type": "quorum"},
        ]
    )
    said = [part.said() for part in document.vhosts]
    assert [(each.description, each.default_queue_type) for each in said] == [("d", None), (None, "quorum")]
    assert leftovers == [Leftover("default queue type stream", "a", "a")]


def test_lines_are_one_for_each_kind_with_some_of_the_names() -> None:
    leftovers = [Leftover("queues of type stream", "/", f"s{number}") for number in range(12)]
    leftovers.append(Leftover("parameters of component shovel", "/", "x"))
    assert list(lines_of(leftovers)) == [
        "queues of type stream: s0, s1, s2, s3, s4, s5, s6, s7, s8, s9 and 2 more",
        "parameters of component shovel: x",
    ]
    assert list(lines_of([])) == []
