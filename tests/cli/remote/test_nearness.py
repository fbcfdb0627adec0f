"""What may have been meant."""

import pytest
from tests.cli.fake_node import FakeNode

from supersoniq.cli.remote.api import Api
from supersoniq.cli.remote.http import Endpoint
from supersoniq.cli.remote.nearness import hint

QUEUES = [
    {"name": "orders", "vhost": "/"},
    {"name": "orders.dead", "vhost": "/"},
    {"name": "jobs", "vhost": "shop"},
]


@pytest.mark.parametrize(
    ("name", "parts", "expected"),
    [
        ("ordres", ("queues", "/", "ordres"), " in virtual host '/': did you mean 'orders'?"),
        ("jobs", ("queues", "/", "jobs"), " in virtual host '/': it is in 'shop'"),
        ("zzz", ("queues", "/", "zzz"), " in virtual host '/'"),
        ("shpo", ("vhosts", "shpo"), ": did you mean 'shop'?"),
        ("x", ("channels", "x"), ""),
    ],
)
def test_near_name_is_hinted_at(node: FakeNode, name: str, parts: tuple[str, ...], expected: str) -> None:
    node.get("queues", QUEUES)
    node.get("vhosts", [{"name": "shop"}])
    assert hint(Api(Endpoint(path=str(node.directory / "control.sock"))), name, parts) == expected
