"""rabbitmqctl's listings."""

import pytest
from tests.cli.ctl.conftest import NODE, Ctl
from tests.cli.fake_node import FakeNode

from supersoniq.cli.ctl.pids import pid_of

NAME = "127.0.0.1:44348 -> 127.0.0.1:5672"
QUEUE = {
    "name": "orders",
    "vhost": "shop",
    "durable": True,
    "arguments": {"x-max-length": 100},
    "messages": 3,
    "owner_pid_details": {"name": NAME},
    "exclusive": False,
}
BINDING = {
    "source": "dead",
    "destination": "orders",
    "destination_type": "queue",
    "routing_key": "a.#",
    "arguments": {"x": 1},
}
CONNECTION = {
    "name": NAME,
    "user": "guest",
    "peer_host": "127.0.0.1",
    "peer_port": 44348,
    "state": "running",
    "protocol": "AMQP 0-9-1",
    "client_properties": {"product": "p"},
    "ssl": False,
}
CHANNEL = {
    "name": f"{NAME} (1)",
    "user": "guest",
    "consumer_count": 1,
    "messages_unacknowledged": 4,
    "connection_details": {"name": NAME},
}
CONSUMER = {
    "queue": {"name": "orders"},
    "channel_details": {"name": f"{NAME} (1)"},
    "consumer_tag": "tag1",
    "ack_required": True,
    "prefetch_count": 5,
    "active": True,
    "arguments": {},
}


@pytest.fixture(autouse=True)
def known(node: FakeNode) -> None:
    for path, item in (
        ("queues/shop", QUEUE),
        ("exchanges/shop", {"name": "dead", "type": "topic", "arguments": {}}),
        ("bindings/shop", BINDING),
        ("connections", CONNECTION),
        ("channels", CHANNEL),
        ("consumers/shop", CONSUMER),
    ):
        node.get(path, [item])


@pytest.mark.parametrize(
    ("tokens", "out"),
    [
        (
            ["list_queues", "-p", "shop"],
            "Timeout: 60.0 seconds ...\nListing queues for vhost shop ...\nname\tmessages\norders\t3\n",
        ),
        (
            [
                "-q",
                "list_queues",
                "-p",
                "shop",
                "name",
                "durable",
                "arguments",
                "owner_pid",
                "policy",
                "exclusive",
            ],
            "name\tdurable\targuments\towner_pid\tpolicy\texclusive\n"
            f'orders\ttrue\t[{{"x-max-length",100}}]\t{pid_of(NODE, NAME)}\t\tfalse\n',
        ),
        (["-q", "list_queues", "-p", "shop", "--offline"], ""),
        (["-q", "list_queues", "-p", "gone"], ""),
        (["list_exchanges", "-p", "shop"], "Listing exchanges for vhost shop ...\nname\ttype\ndead\ttopic\n"),
        (
            ["list_bindings", "-p", "shop"],
            "Listing bindings for vhost shop...\n"
            "source_name\tsource_kind\tdestination_name\tdestination_kind\trouting_key\targuments\n"
            'dead\texchange\torders\tqueue\ta.#\t[{"x",1}]\n',
        ),
        (
            ["list_connections"],
            "Listing connections ...\nuser\tpeer_host\tpeer_port\tstate\nguest\t127.0.0.1\t44348\trunning\n",
        ),
        (
            ["-s", "list_connections", "pid", "protocol", "client_properties", "ssl"],
            f'{pid_of(NODE, NAME)}\t{{0,9,1}}\t[{{"product","p"}}]\tfalse\n',
        ),
        (
            ["list_channels"],
            "Listing channels ...\npid\tuser\tconsumer_count\tmessages_unacknowledged\n"
            f"{pid_of(NODE, NAME + ' (1)')}\tguest\t1\t4\n",
        ),
        (
            ["list_consumers", "-p", "shop"],
            "Listing consumers in vhost shop ...\n"
            "queue_name\tchannel_pid\tconsumer_tag\tack_required\tprefetch_count\tactive\targuments\n"
            f"orders\t{pid_of(NODE, NAME + ' (1)')}\ttag1\ttrue\t5\ttrue\t[]\n",
        ),
        (["-q", "list_unresponsive_queues"], ""),
    ],
)
def test_listing_is_that_of_rabbitmqctl(ctl: Ctl, tokens: list[str], out: str) -> None:
    assert ctl(*tokens) == (0, out, "")


def test_json_of_a_listing(ctl: Ctl) -> None:
    assert ctl("list_queues", "-p", "shop", "--formatter", "json", "name", "arguments").out == (
        '[\n{"name":"orders","arguments":[["x-max-length","long",100]]}\n]\n'
    )
    assert '"peer_host":[127,0,0,1]' in ctl("list_connections", "--formatter", "json").out


def test_node_is_asked_for_no_more_than_is_shown(ctl: Ctl, node: FakeNode) -> None:
    ctl("list_queues", "-p", "shop", "name")
    assert "columns=name" in next(asked.query for asked in node.asked if asked.path == "queues/shop")


@pytest.mark.parametrize(
    "word",
    ["list_queues", "list_exchanges", "list_bindings", "list_connections", "list_channels", "list_consumers"],
)
def test_unknown_column_is_exit_code_64(ctl: Ctl, word: str) -> None:
    said = ctl(word, "bogus")
    assert said.code == 64
    assert "Info key(s) bogus are not supported" in said.err
