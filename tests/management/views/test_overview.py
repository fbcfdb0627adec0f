"""The overview's fields."""

from tests.management.api import Api


def test_product_is_what_tools_expect(api: Api) -> None:
    assert api.get("/api/overview")["product_name"] == "RabbitMQ"
