"""Definitions: exported, imported again, compared with what there is."""

import pytest
from tests.management.api import Api
from tests.management.cases import NO_VHOST, Case, bad, play
from tests.management.conftest import Common

from supersoniq import Broker


def prepare(common: Common) -> None:
    common.api.put(common.path("/queues/$V/q"), {"durable": True, "arguments": {"x-max-length": 5}})
    common.api.put(common.path("/exchanges/$V/x"), {"type": "topic", "durable": True})
    common.api.post(common.path("/bindings/$V/e/x/q/q"), {"routing_key": "a.#"})
    common.api.put(common.path("/policies/$V/p"), {"pattern": "^q", "definition": {"max-length": 5}})


def test_virtual_host_is_exported_and_imported(common: Common) -> None:
    prepare(common)
    path = common.path("/definitions/$V")
    document = common.api.get(path)
    assert document["queues"] == [
        {"name": "q", "durable": True, "auto_delete": False, "arguments": {"x-max-length": 5}}
    ]
    assert [each["name"] for each in document["exchanges"]] == ["x"]
    assert [each["routing_key"] for each in document["bindings"]] == ["a.#"]
    common.api.delete(common.path("/queues/$V/q"))
    answer = common.api.ask("POST", path, document, **{"Content-Type": "application/json"})
    assert answer.status == 204
    assert common.api.get(path) == document


def test_whole_node_is_exported(common: Common) -> None:
    prepare(common)
    document = common.api.get("/api/definitions")
    assert document == common.api.get("/api/all-configuration")
    of_node = {"users", "vhosts", "permissions", "topic_permissions", "parameters", "global_parameters"}
    assert of_node | {"policies", "queues", "exchanges", "bindings"} <= document.keys()
    assert common.vhost in [each["name"] for each in document["vhosts"]]


def test_what_is_refused(common: Common) -> None:
    play(
        common,
        [
            Case("GET", "/definitions/nowhere", None, 400, bad("vhost_not_found")),
            Case("POST", "/definitions/nowhere", {}, 404, NO_VHOST),
            Case("POST", "/definitions", b"x", 400, bad("failed_to_parse_json")),
            Case("POST", "/definitions", b"[]", 400, bad("failed_to_parse_json")),
            Case("POST", "/definitions", {}, 204),
            Case("POST", "/definitions", b"", 204),
            Case("POST", "/definitions/$V", {"queues": [{"name": "q"}]}, 400),
            Case("GET", "/queues/$V", None, 200, []),
        ],
    )


def test_dry_run_says_what_would_be_done(ours: Common) -> None:
    prepare(ours)
    path = ours.path("/definitions/$V?dry_run=true")
    document = {
        "queues": [
            {"name": "new", "durable": True, "auto_delete": False, "arguments": {}},
            {"name": "q", "durable": True, "auto_delete": False, "arguments": {"x-max-length": 5}},
        ],
        "policies": [{"name": "p", "pattern": "^q", "definition": {"max-length": 6}, "priority": 0}],
    }
    found = {(each["kind"], each["name"]): each["action"] for each in ours.api.post(path, document)}
    assert found == {("queue", "new"): "create", ("queue", "q"): "keep", ("policy", "p"): "change"}
    assert [each["name"] for each in ours.api.get(ours.path("/queues/$V"))] == ["q"]


def test_what_cannot_be_honoured_is_listed(ours: Common) -> None:
    document = {"parameters": [{"component": "shovel", "name": "s", "vhost": ours.vhost, "value": {}}]}
    answer = ours.api.ask("POST", "/api/definitions", document)
    assert answer.status == 200
    assert [(each["name"], each["vhost"]) for each in answer.value["not_honoured"]] == [("s", ours.vhost)]


def test_clear_passwords_become_hashes(ours: Common) -> None:
    name = f"{ours.vhost}-imported"
    user = {"name": name, "password": "secret", "tags": "management"}
    ours.api.post("/api/definitions", {"users": [user]})
    assert ours.api.as_user(name, "secret").get("/api/whoami")["name"] == name
    ours.api.delete(f"/api/users/{name}")


def test_export_can_be_kept_as_a_file(ours: Common) -> None:
    answer = ours.api.ask("GET", "/api/definitions?download=a%20b.json")
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''a%20b.json"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_administrators_only(common: Common, method: str) -> None:
    answer = common.user("monitoring", ".*").ask(method, common.path("/definitions/$V"), {})
    assert (answer.status, answer.value["reason"]) == (401, "Not administrator user")


def test_another_node_takes_all_of_it(shared_broker: Broker, ours: Common) -> None:
    prepare(ours)
    document = ours.api.get("/api/definitions")
    with Broker(management="on") as other:
        Api(other.api_url).post("/api/definitions", document)
        again = Api(other.api_url).get("/api/definitions")
    for name in ("vhosts", "queues", "exchanges", "bindings", "policies", "permissions"):
        key = str
        assert sorted(again[name], key=key) == sorted(document[name], key=key), name
