"""Definitions over the HTTP API: what is exported is what was imported, and comes back."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from tests.management.api import Answer, Api

from supersoniq.auth.passwords import SHA256, hash_password

VHOST = "conformance.definitions"
USER = "conformance.defined"
PASSWORD = "s3cret"

POLICY = {"pattern": "^q", "apply-to": "queues", "definition": {"max-length": 50}, "priority": 3}
OPERATOR = {"pattern": "^q", "apply-to": "queues", "definition": {"message-ttl": 60000}, "priority": 1}
WHOLE: dict[str, Any] = {
    "rabbit_version": "3.8.0",
    "users": [
        {
            "name": USER,
            "password_hash": hash_password(PASSWORD.encode(), SHA256).encoded,
            "hashing_algorithm": SHA256,
            "tags": "management,own",
        }
    ],
    "vhosts": [{"name": VHOST}],
    "permissions": [{"user": USER, "vhost": VHOST, "configure": "^q", "write": "", "read": ".*"}],
    "topic_permissions": [
        {"user": USER, "vhost": VHOST, "exchange": "amq.topic", "write": "^a", "read": "^b"}
    ],
    "parameters": [
        {"vhost": VHOST, "component": "operator_policy", "name": "o", "value": OPERATOR},
        {"vhost": VHOST, "component": "vhost-limits", "name": "limits", "value": {"max-queues": 20}},
    ],
    "policies": [{"vhost": VHOST, "name": "p", **POLICY}],
    "queues": [
        {
            "name": "q",
            "vhost": VHOST,
            "durable": True,
            "auto_delete": False,
            "arguments": {"x-max-length": 9},
        },
        {"name": "short", "vhost": VHOST, "durable": False, "auto_delete": True, "arguments": {}},
    ],
    "exchanges": [
        {
            "name": "e",
            "vhost": VHOST,
            "type": "topic",
            "durable": True,
            "auto_delete": False,
            "internal": True,
            "arguments": {"alternate-exchange": "amq.fanout"},
        }
    ],
    "bindings": [
        {
            "source": "e",
            "vhost": VHOST,
            "destination": "q",
            "destination_type": "queue",
            "routing_key": "k.#",
            "arguments": {"x": 1},
        },
        {
            "source": "amq.direct",
            "vhost": VHOST,
            "destination": "e",
            "destination_type": "exchange",
            "routing_key": "k",
            "arguments": {},
        },
    ],
}


@pytest.fixture
def api(api_url: str) -> Iterator[Api]:
    """The API as guest; what the tests make is gone at the end."""
    guest = Api(api_url)
    yield guest
    for path in (f"/api/vhosts/{quote(VHOST, '')}", f"/api/users/{quote(USER, '')}"):
        guest.ask("DELETE", path)


def posted(api: Api, path: str, document: dict[str, Any]) -> Answer:
    """What an import is answered."""
    return api.ask("POST", path, document, **{"Content-Type": "application/json"})


def exported(api: Api) -> dict[str, list[Any]]:
    """The virtual host's parts, in an order of their own."""
    values = api.get(f"/api/definitions/{quote(VHOST, '')}")
    return {name: sorted(parts, key=repr) for name, parts in values.items() if isinstance(parts, list)}


def placed(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a document for one virtual host says of them."""
    return [{name: value for name, value in part.items() if name != "vhost"} for part in parts]


def test_file_is_imported_and_exported_again(api: Api) -> None:
    assert posted(api, "/api/definitions", WHOLE).status == 204
    found = exported(api)
    for name in ("queues", "exchanges", "bindings"):
        assert found[name] == sorted(placed(WHOLE[name]), key=repr), name
    assert found["policies"] == WHOLE["policies"]
    by_component = {part["component"]: part for part in found["parameters"]}
    assert by_component == {part["component"]: part for part in WHOLE["parameters"]}
    everything = api.get("/api/definitions")
    for name in ("permissions", "topic_permissions"):
        assert [part for part in everything[name] if part["user"] == USER] == WHOLE[name]
    (user,) = [part for part in everything["users"] if part["name"] == USER]
    assert user == {**WHOLE["users"][0], "tags": ["management", "own"], "limits": {}}


def test_user_of_the_file_can_log_in(api: Api) -> None:
    posted(api, "/api/definitions", WHOLE)
    assert Api(api.url, USER, PASSWORD).get("/api/whoami")["name"] == USER


def test_importing_again_is_fine_and_adds_only(api: Api) -> None:
    posted(api, "/api/definitions", WHOLE)
    patterns = {"configure": ".*", "write": ".*", "read": ".*"}
    api.put(f"/api/permissions/{quote(VHOST, '')}/guest", patterns)
    api.put(f"/api/queues/{quote(VHOST, '')}/more", {"durable": True})
    before = exported(api)
    assert posted(api, "/api/definitions", WHOLE).status == 204
    assert exported(api) == before


def test_export_of_a_vhost_comes_back_in_an_empty_one(api: Api) -> None:
    posted(api, "/api/definitions", WHOLE)
    document = api.get(f"/api/definitions/{quote(VHOST, '')}")
    before = exported(api)
    assert api.ask("DELETE", f"/api/vhosts/{quote(VHOST, '')}").status == 204
    api.put(f"/api/vhosts/{quote(VHOST, '')}")
    assert exported(api) == {name: [] for name in before}
    assert posted(api, f"/api/definitions/{quote(VHOST, '')}", document).status == 204
    assert exported(api) == before


def test_policy_that_is_none_is_refused(api: Api) -> None:
    wrong = {"vhost": VHOST, "name": "w", **POLICY, "definition": {"bogus": 5}}
    answer = posted(api, "/api/definitions", {"vhosts": WHOLE["vhosts"], "policies": [wrong]})
    assert (answer.status, answer.value["error"]) == (400, "bad_request")
    assert "are not recognised policy settings" in answer.value["reason"]


def test_vhost_that_is_not_there_cannot_be_imported_into(api: Api) -> None:
    assert posted(api, "/api/definitions/conformance.nowhere", {}).status == 404
