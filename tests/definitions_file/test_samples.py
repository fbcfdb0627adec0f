"""Files in the shapes of RabbitMQ 3.6, 3.13, 4.1 and LavinMQ 2 are imported, and it is said what is left."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.control.site import ALICE, Site

from supersoniq.auth.passwords import verify
from supersoniq.definitions_file.document import read_document
from supersoniq.definitions_file.export import export_node
from supersoniq.definitions_file.importing import Import, Imported

DATA = Path(__file__).parent / "data"
SAMPLES = sorted(path.name for path in DATA.glob("*.json"))
LEFT = {
    "lavinmq-2.json": {
        "parameters of component shovel": ["move"],
        "exchanges of type mqtt": ["mqtt.default"],
    },
    "rabbitmq-3.13.json": {
        "parameters of component shovel": ["backup"],
        "parameters of component federation-upstream": ["eu"],
        "queues of type stream": ["shop.log"],
        "bindings of what is left out": ["shop.topic > shop.log"],
    },
    "rabbitmq-3.6.json": {},
    "rabbitmq-4.1.json": {
        "default queue type stream": ["log"],
        "exchanges of type x-local-random": ["sensors"],
        "bindings of what is left out": ["sensors > sensor.1"],
    },
}


def imported(site: Site, name: str) -> Imported:
    return Import(site.administration, read_document(DATA / name), {}).run(ALICE)


def parts_of(values: dict[str, Any], name: str, left: list[str]) -> list[str]:
    """The parts of a kind that are not left out, comparable: what is said of them and has a default aside."""
    parts: list[str] = []
    for part in values.get(name, []):
        title = f"{part['source']} > {part['destination']}" if name == "bindings" else part.get("name")
        if title not in left:
            kept = {key: value for key, value in part.items() if key not in ("type", "internal", "limits")}
            parts.append(json.dumps(kept, sort_keys=True))
    return sorted(parts)


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_is_imported_and_says_what_is_left(name: str) -> None:
    site = Site()
    result = imported(site, name)
    left: dict[str, list[str]] = {}
    for leftover in result.leftovers:
        left.setdefault(leftover.what, []).append(leftover.name)
    assert left == LEFT[name]
    again = imported(site, name)
    assert (again.created, again.changed) == (0, 0)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("kind", ["queues", "bindings", "policies", "permissions", "topic_permissions"])
def test_what_is_exported_again_is_what_was_imported(name: str, kind: str) -> None:
    site = Site()
    left = [leftover.name for leftover in imported(site, name).leftovers]
    values = json.loads((DATA / name).read_text(encoding="utf-8"))
    exported: dict[str, Any] = export_node(site.administration, "RabbitMQ", "3.13.7")
    assert parts_of(exported, kind, left) == parts_of(values, kind, left)


@pytest.mark.parametrize("name", SAMPLES)
def test_users_keep_their_passwords(name: str) -> None:
    site = Site()
    imported(site, name)
    for user in site.administration.users:
        if user.name == "cert":
            assert user.password is None
        else:
            assert user.password is not None
            secret = "guest2" if user.name == "guest" else user.name
            assert verify(secret.encode(), user.password), user.name


def test_tags_limits_and_what_is_said_of_vhosts_are_there() -> None:
    site = Site()
    imported(site, "rabbitmq-3.6.json")
    imported(site, "rabbitmq-3.13.json")
    imported(site, "rabbitmq-4.1.json")
    tags = {user.name: set(user.tags) for user in site.administration.users}
    assert tags["ops"] == {"monitoring", "management"}
    assert tags["billing"] == set()
    assert tags["iot"] == {"protected"}
    shop = site.vhosts["shop"]
    assert shop.limits.definition() == {"max-queues": 200}
    assert site.limits_of("shop").definition() == {"max-connections": 100, "max-channels": 500}
    assert site.administration.vhost_metadata["shop"] == ("the web shop", ("production",), "quorum", False)
    assert shop.queues[b"shop.orders"].effective_definition()["delivery-limit"] == 20
    assert site.administration.cluster_name == "shop-production"
    assert "internal_cluster_id" not in site.administration.global_parameters
