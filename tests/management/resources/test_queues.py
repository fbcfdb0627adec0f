"""Queues: listed."""

from tests.management.api import Api


def test_virtual_host_without_queues_has_none(api: Api) -> None:
    assert api.get("/api/queues/%2F") == []
