"""A file of definitions is read as its exporters write it, and what is wrong with it is one line."""

import json
from pathlib import Path

import pytest

from supersoniq.definitions_file.document import Document, DocumentError, parse_document, read_document

QUEUE = {"name": "q", "vhost": "/", "durable": True}


def parsed(values: object) -> Document:
    return parse_document(json.dumps(values).encode())


def complaint(data: bytes) -> str:
    with pytest.raises(DocumentError) as caught:
        parse_document(data)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_empty_document_defines_nothing() -> None:
    document = parsed({})
    assert document == Document()
    assert document.queues == []


def test_what_is_not_known_is_left_out() -> None:
    document = parsed(
        {"lavinmq_version": "2.9", "global_parameters": [{"name": "x"}], "queues": [{**QUEUE, "x": 1}]}
    )
    assert document.queues[0].name == "q"


def test_document_may_begin_with_a_mark_of_its_encoding() -> None:
    assert parse_document(b"\xef\xbb\xbf{}") == Document()


def test_policy_has_its_exporters_names() -> None:
    policy = {"vhost": "/", "name": "p", "pattern": "", "apply-to": "queues", "definition": {"expires": 1}}
    part = parsed({"policies": [policy]}).policies[0]
    assert (part.apply_to, part.priority, part.definition) == ("queues", 0, {"expires": 1})


@pytest.mark.parametrize(
    "limits", [{"max-queues": 3}, [["max-queues", 3]], [{"name": "max-queues", "value": 3}]]
)
def test_limits_of_a_virtual_host_are_a_map_or_a_list(limits: object) -> None:
    assert parsed({"vhosts": [{"name": "v", "limits": limits}]}).vhosts[0].limits == {"max-queues": 3}


def test_no_arguments_may_be_an_empty_list() -> None:
    assert parsed({"queues": [{**QUEUE, "arguments": []}]}).queues[0].arguments == {}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "not JSON: Expecting value at line 1 column 1"),
        (b'{"queues": [}', "not JSON: Expecting value at line 1 column 13"),
        (b'{"a": NaN}', "not JSON: NaN is no number"),
        (b"\xff", "not JSON: 'utf-8' codec"),
        (b"[" * 100_000, "not JSON: "),
        (b"[]", "not a JSON object"),
    ],
)
def test_what_is_no_json_object_is_refused(data: bytes, text: str) -> None:
    assert complaint(data).startswith(text)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"queues": 5}, "queues: expected a valid list"),
        ({"queues": [QUEUE, {"name": "r", "durable": True}]}, "queues[1].vhost: field required"),
        ({"queues": [{**QUEUE, "durable": "yes"}]}, "queues[0].durable: expected a valid boolean"),
        ({"queues": [{**QUEUE, "name": ""}]}, "queues[0].name: string should have at least 1 character"),
        ({"queues": [{**QUEUE, "name": "é" * 128}]}, "queues[0].name: expected at most 255 octets"),
        ({"queues": [{**QUEUE, "name": "\ud800"}]}, "queues[0].name: "),
        (
            {"queues": [{**QUEUE, "arguments": {"x": 1 << 63}}]},
            "queues[0].arguments: expected integers of 64 bits",
        ),
        ({"queues": [{**QUEUE, "arguments": {"x": ["\ud800"]}}]}, "queues[0].arguments: "),
        (
            {"queues": [{**QUEUE, "arguments": {"n" * 256: 1}}]},
            "queues[0].arguments: expected at most 255 octets",
        ),
        ({"vhosts": [{"name": "v", "limits": [1]}]}, "vhosts[0].limits: expected a map, or a list of"),
        ({"vhosts": [{"name": "v", "limits": [[1, 2]]}]}, "vhosts[0].limits: expected a map, or a"),
        (
            {
                "bindings": [
                    {
                        "source": "",
                        "vhost": "/",
                        "destination": "q",
                        "destination_type": "x",
                        "routing_key": "",
                    }
                ]
            },
            "bindings[0].destination_type: expected 'queue' or 'exchange'",
        ),
    ],
)
def test_what_has_the_wrong_shape_is_named_by_its_place(values: object, text: str) -> None:
    assert complaint(json.dumps(values).encode()).startswith(text)


def test_arguments_may_not_be_too_deep() -> None:
    value: object = 1
    for _ in range(70):
        value = [value]
    assert "expected at most 64 levels" in complaint(
        json.dumps({"queues": [{**QUEUE, "arguments": {"x": value}}]}).encode()
    )


def test_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "definitions.json"
    path.write_text(json.dumps({"vhosts": [{"name": "shop"}]}))
    assert read_document(path).vhosts[0].name == "shop"
    with pytest.raises(DocumentError, match="cannot be read: No such file"):
        read_document(tmp_path / "missing")
