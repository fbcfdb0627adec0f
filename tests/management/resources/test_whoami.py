"""Who it is that asks."""

from tests.management.api import Api


def test_user_is_named(api: Api) -> None:
    assert api.get("/api/whoami")["name"] == "guest"
