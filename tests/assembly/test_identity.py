"""To clients it is RabbitMQ; under its own name it is told, too."""

import platform

from supersoniq.assembly.identity import node_name, server_properties


def test_node_has_the_name_of_its_machine() -> None:
    assert node_name() == f"supersoniq@{platform.node()}"


def test_clients_that_look_for_rabbitmq_find_it() -> None:
    properties = server_properties()
    assert (properties["product"], properties["broker"]) == ("RabbitMQ", "SupersoniQ")
    assert properties["cluster_name"] == node_name()
