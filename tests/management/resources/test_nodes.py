"""Nodes: what they use, and what memory is used for."""

from tests.management.cases import NOT_FOUND, Case, play
from tests.management.conftest import Common


def test_node_is_listed_and_found_by_its_name(common: Common) -> None:
    node = common.api.get("/api/nodes")[0]
    assert common.api.get(f"/api/nodes/{node['name']}")["os_pid"] == node["os_pid"]
    assert (node["running"], node["type"], node["mem_alarm"], node["disk_free_alarm"]) == (
        True,
        "disc",
        False,
        False,
    )
    assert node["uptime"] > 0


def test_memory_is_explained(common: Common) -> None:
    name = common.api.get("/api/overview?columns=node")["node"]
    memory = common.api.get(f"/api/nodes/{name}/memory")["memory"]
    assert memory["total"]["rss"] > 1_000_000
    relative = common.api.get(f"/api/nodes/{name}/memory/relative")["memory"]
    assert relative.keys() - {"total"} == memory.keys() - {"total", "strategy"}
    play(common, [Case("GET", "/nodes/nope/memory", None, 404, NOT_FOUND)])


def test_figures_of_the_process_are_those_of_this_one(ours: Common) -> None:
    node = ours.api.get("/api/nodes")[0]
    assert node["mem_used"] > 1_000_000
    assert 0 < node["fd_used"] < node["fd_total"]
    assert node["mem_limit"] > 0
