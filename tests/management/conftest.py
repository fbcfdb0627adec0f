"""Brokers with their management API on."""

from collections.abc import Iterator

import pytest
from tests.management.api import Api

from supersoniq import Broker


@pytest.fixture(scope="module")
def shared_broker() -> Iterator[Broker]:
    """A broker for tests that leave nothing behind, in a thread of its own."""
    with Broker(management="on") as broker:
        yield broker


@pytest.fixture
def api(shared_broker: Broker) -> Api:
    """Its API, asked by the default user, an administrator."""
    return Api(shared_broker.api_url)
