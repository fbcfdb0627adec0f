"""The overview."""

from tests.management.api import Api


def test_node_is_named(api: Api) -> None:
    assert api.get("/api/overview")["node"]
