"""The OpenAPI document: whatever is sent by what it says, nothing fails inside."""

import base64
import random
import time
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from tests.management.api import Api

from supersoniq import Broker
from supersoniq.management.openapi import document
from supersoniq.management.resources.index import MODULES, routes_below

SECONDS = 8
CREDENTIALS = "Basic " + base64.b64encode(b"guest:guest").decode()


def test_routes_say_who_may_ask_and_what_is_sent() -> None:
    found = document(routes_below("policies"), "1")
    put = found["paths"]["/api/policies/{vhost}/{name}"]["put"]
    assert put["security"] == [{"basic": []}]
    assert set(put["requestBody"]["content"]["application/json"]["schema"]["properties"]) == {
        "pattern",
        "definition",
        "priority",
        "apply-to",
    }
    assert [each["name"] for each in put["parameters"]] == ["vhost", "name"]


@pytest.fixture
def fresh() -> Iterator[Broker]:
    """A broker that may end up with anything in it."""
    with Broker(management="on") as broker:
        yield broker


def test_nothing_that_fits_the_document_fails_inside(fresh: Broker) -> None:
    routes = [route for first in sorted(MODULES) for route in routes_below(first)]
    schema = schemathesis.openapi.from_dict(document(routes, "1"))
    schema.config.update(base_url=fresh.api_url)
    failed: list[str] = []
    operations = list(schema.get_all_operations())
    random.shuffle(operations)  # what a slow machine has no time for comes another time
    end = time.monotonic() + SECONDS
    for result in operations:
        if time.monotonic() > end:
            break
        assert isinstance(result, Ok)
        operation = result.ok()

        @settings(
            max_examples=2,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )
        @given(case=operation.as_strategy())
        def play(case: schemathesis.Case) -> None:
            response = case.call(headers={"Authorization": CREDENTIALS}, timeout=30)
            if response.status_code >= 500 and response.status_code != 503:
                failed.append(f"{case.method} {case.formatted_path} {case.body!r}: {response.status_code}")

        play()
    assert not failed, failed


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
WRITES = [
    (route.method, route.path, sorted(route.body))
    for first in sorted(MODULES)
    for route in routes_below(first)
    if route.body is not None and first not in ("node", "users")
]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(write=st.sampled_from(WRITES), data=st.data())
def test_values_of_any_kind_are_refused_or_taken(
    shared_broker: Broker, write: tuple[str, str, list[str]], data: st.DataObject
) -> None:
    method, path, names = write
    body = {name: data.draw(json_values) for name in names if data.draw(st.booleans())}
    for parameter in ("vhost", "queue", "exchange", "name", "user", "component", "limit", "node", "source"):
        path = path.replace(f"{{{parameter}}}", "%2F" if parameter == "vhost" else "amq.topic")
    path = path.replace("{kind}", "q").replace("{destination}", "q")
    answer = Api(shared_broker.api_url).ask(method, "/api" + path, body)
    assert answer.status < 500, answer
