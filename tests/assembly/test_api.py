"""The management API of a node: the sockets that the settings ask for."""

from pathlib import Path

from supersoniq import Broker


def test_listeners_are_told() -> None:
    with Broker(management="on") as broker:
        management = broker.node.management
        assert management is not None
        listeners = {(each.protocol, each.port) for each in management.facts.listeners()}
        assert listeners == {("amqp", broker.port), ("http", broker.node.management_addresses[0][1])}


def test_local_alone_has_no_port(tmp_path: Path) -> None:
    with Broker(management="local", data_dir=tmp_path) as broker:
        assert broker.node.management_addresses == []
        assert (tmp_path / "control.sock").is_socket()


def test_off_has_nothing(tmp_path: Path) -> None:
    with Broker(data_dir=tmp_path) as broker:
        assert broker.node.management_addresses == []
        assert not (tmp_path / "control.sock").exists()
