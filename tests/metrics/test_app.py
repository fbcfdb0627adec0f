"""The HTTP side of the pages."""

import gzip
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message

import pytest
from tests.metrics.reading import OPEN_METRICS, Read

from supersoniq import Broker


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker(prometheus="on") as broker:
        yield broker


def asked(
    broker: Broker, path: str = "/metrics", method: str = "GET", **headers: str
) -> tuple[int, Message, bytes]:
    """Status, headers and body."""
    url = broker.prometheus_url.removesuffix("/metrics") + path
    request = urllib.request.Request(url, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/metrics/per-object", "/metrics/detailed"])
def test_pages_are_served(broker: Broker, path: str) -> None:
    status, headers, body = asked(broker, path)
    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=0.0.4")
    assert Read(body.decode()).labelled("rabbitmq_identity_info")


def test_groups_are_chosen_by_query(broker: Broker) -> None:
    _, _, body = asked(broker, "/metrics/detailed?family=node_metrics&family=exchange_names&vhost=%2F")
    found = Read(body.decode())
    assert found.value("rabbitmq_detailed_process_max_fds") >= 0
    assert found.labelled("rabbitmq_cluster_exchange_name")


def test_answer_is_compressed_for_who_takes_that(broker: Broker) -> None:
    _, headers, body = asked(broker, **{"Accept-Encoding": "deflate, gzip;q=0.5"})
    assert headers["content-encoding"] == "gzip"
    assert Read(gzip.decompress(body).decode()).value("rabbitmq_queues") == 0
    _, headers, body = asked(broker, **{"Accept-Encoding": "gzip;q=0"})
    assert headers["content-encoding"] is None
    assert Read(body.decode()).value("rabbitmq_queues") == 0


def test_open_metrics_for_who_asks_for_it(broker: Broker) -> None:
    _, headers, body = asked(broker, Accept=f"{OPEN_METRICS},text/plain;q=0.5")
    assert headers["content-type"].startswith(OPEN_METRICS)
    assert Read(body.decode(), is_open_metrics=True).value("rabbitmq_queues") == 0


def test_other_paths_are_answered_as_rabbitmq_does(broker: Broker) -> None:
    status, _, body = asked(broker, "/")
    assert (status, json.loads(body)) == (404, {"error": "Object Not Found", "reason": "Not Found"})
    assert asked(broker, "/metricsx")[0] == 404
    assert asked(broker, "/metrics/nonsense")[::2] == (404, b"Unknown Registry")


def test_nothing_can_be_changed_here(broker: Broker) -> None:
    assert asked(broker, method="POST")[0] == 405
    assert asked(broker, method="HEAD")[::2] == (200, b"")


def test_embedded_broker_has_no_listener_unless_asked() -> None:
    with Broker() as broker:
        assert broker.node.prometheus_addresses == []


def test_port_that_is_taken_is_an_error() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"), Broker(prometheus="on", prometheus_port=port):
            pass
