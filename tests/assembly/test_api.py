"""The management API of a node: the sockets that the settings ask for."""

import contextlib
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

from tests.authority import Authority
from tests.management.api import Api

from supersoniq import Broker


def test_listeners_are_told() -> None:
    with Broker(management="on") as broker:
        management = broker.node.management
        assert management is not None
        listeners = {(each.protocol, each.port) for each in management.facts.listeners()}
        assert listeners == {("amqp", broker.port), ("http", broker.node.management_addresses[0][1])}


def test_listeners_of_all_kinds_are_listed(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "management": "on",
        "management_tls_port": 0,
        "prometheus": "on",
        "tls_certificate": Authority(tmp_path).issue("127.0.0.1"),
    }
    with Broker(**settings) as broker:
        listed = Api(broker.api_url).get("/api/overview?columns=listeners")["listeners"]
        ports = {each["protocol"]: each["port"] for each in listed}
        assert ports == {
            "amqp": broker.node.addresses[0][1],
            "amqp/ssl": broker.node.tls_addresses[0][1],
            "http": broker.node.management_addresses[0][1],
            "https": broker.node.management_tls_addresses[0][1],
            "http/prometheus": broker.node.prometheus_addresses[0][1],
            "https/prometheus": broker.node.prometheus_tls_addresses[0][1],
        }


def test_local_alone_has_no_port(tmp_path: Path) -> None:
    with Broker(management="local", data_dir=tmp_path) as broker:
        assert broker.node.management_addresses == []
        assert (tmp_path / "control.sock").is_socket()


def test_off_has_nothing(tmp_path: Path) -> None:
    with Broker(data_dir=tmp_path) as broker:
        assert broker.node.management_addresses == []
        assert not (tmp_path / "control.sock").exists()


def test_pages_for_prometheus_are_told_too() -> None:
    with Broker(management="on", prometheus="on") as broker:
        management = broker.node.management
        assert management is not None
        listeners = {(each.protocol, each.port) for each in management.facts.listeners()}
        assert ("http/prometheus", broker.node.prometheus_addresses[0][1]) in listeners


def test_prometheus_has_hosts_of_its_own() -> None:
    with Broker(prometheus="on", prometheus_host=["127.0.0.2"]) as broker:
        assert [host for host, _ in broker.node.prometheus_addresses] == ["127.0.0.2"]


def test_prometheus_reads_with_tls_too(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with Broker(prometheus="on", tls_certificate=authority.issue("127.0.0.1")) as broker:
        host, port = broker.node.prometheus_tls_addresses[0]
        connection = HTTPSConnection(host, port, context=authority.client_context(), timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", "/metrics")
            assert connection.getresponse().status == 200
