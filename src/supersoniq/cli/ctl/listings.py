"""rabbitmqctl's listings of queues, exchanges, bindings, connections, channels and consumers."""

from collections.abc import Callable, Mapping
from typing import Any

from supersoniq.cli.ctl.columns import checked
from supersoniq.cli.ctl.context import Command, Ctl, Item
from supersoniq.cli.ctl.pids import pid_of
from supersoniq.cli.ctl.terms import Address, Arguments
from supersoniq.cli.remote.api import Missing
from supersoniq.cli.remote.cells import value_at

Value = Callable[[Ctl, Item], Any]


def at(path: str) -> Value:
    """The value at a path of the API's object."""
    return lambda ctl, item: value_at(item, path)


def arguments_at(path: str) -> Value:
    """The table at a path of the API's object."""
    return lambda ctl, item: Arguments(value_at(item, path) or {})


def address_at(path: str) -> Value:
    """The address of a host at a path of the API's object."""
    return lambda ctl, item: Address(value_at(item, path) or "")


def pid_at(path: str) -> Value:
    """The pid of what is named at a path of the API's object; empty when nothing is."""

    def pid(ctl: Ctl, item: Item) -> Any:
        name = value_at(item, path)
        return pid_of(ctl.node, str(name)) if name else ""

    return pid


def _queue_pid(ctl: Ctl, item: Item) -> Any:
    return pid_of(ctl.node, f"{item['vhost']}/{item['name']}")


def _protocol(ctl: Ctl, item: Item) -> tuple[int, ...]:
    """`AMQP 0-9-1` is {0,9,1} there."""
    parts = str(item.get("protocol", "")).rpartition(" ")[2].split("-")
    return tuple([int(part) for part in parts if part.isdigit()])


def _plain(*names: str) -> dict[str, Value]:
    return {name: at(name) for name in names}


QUEUE_COLUMNS: Mapping[str, Value] = {
    **_plain("name", "durable", "auto_delete"),
    "arguments": arguments_at("arguments"),
    **_plain("policy", "operator_policy"),
    "effective_policy_definition": arguments_at("effective_policy_definition"),
    "pid": _queue_pid,
    "owner_pid": pid_at("owner_pid_details.name"),
    "exclusive": at("exclusive"),
    "exclusive_consumer_pid": at("exclusive_consumer_pid"),
    "exclusive_consumer_tag": at("exclusive_consumer_tag"),
    **_plain(
        "messages_ready", "messages_unacknowledged", "messages", "messages_ready_ram",
        "messages_unacknowledged_ram", "messages_ram", "messages_persistent", "message_bytes",
        "message_bytes_ready", "message_bytes_unacknowledged", "message_bytes_ram",
        "message_bytes_persistent",
        "head_message_timestamp", "disk_reads", "disk_writes", "consumers", "consumer_utilisation",
        "consumer_capacity", "memory", "slave_pids", "synchronised_slave_pids", "state", "type", "leader",
        "members",
        "online",
    ),
}  # fmt: skip
EXCHANGE_COLUMNS: Mapping[str, Value] = {
    **_plain("name", "type", "durable", "auto_delete", "internal"),
    "arguments": arguments_at("arguments"),
    "policy": at("policy"),
}
BINDING_COLUMNS: Mapping[str, Value] = {
    "source_name": at("source"),
    "source_kind": lambda ctl, item: "exchange",
    "destination_name": at("destination"),
    "destination_kind": at("destination_type"),
    "routing_key": at("routing_key"),
    "arguments": arguments_at("arguments"),
}
CONNECTION_COLUMNS: Mapping[str, Value] = {
    "pid": pid_at("name"),
    **_plain("name", "port"),
    "host": address_at("host"),
    "peer_port": at("peer_port"),
    "peer_host": address_at("peer_host"),
    **_plain(
        "ssl", "ssl_protocol", "ssl_key_exchange", "ssl_cipher", "ssl_hash", "peer_cert_subject",
        "peer_cert_issuer", "peer_cert_validity", "state", "channels",
    ),
    "protocol": _protocol,
    **_plain("auth_mechanism", "user", "vhost", "timeout", "frame_max", "channel_max"),
    "client_properties": arguments_at("client_properties"),
    **_plain("connected_at", "recv_oct", "recv_cnt", "send_oct", "send_cnt", "send_pend"),
    "user_provided_name": at("user_provided_name"),
    "node": at("node"),
}  # fmt: skip
CHANNEL_COLUMNS: Mapping[str, Value] = {
    "pid": pid_at("name"),
    "connection": pid_at("connection_details.name"),
    **_plain(
        "name", "number", "user", "vhost", "transactional", "confirm", "consumer_count",
        "messages_unacknowledged",
        "messages_uncommitted", "acks_uncommitted", "messages_unconfirmed", "prefetch_count",
        "global_prefetch_count",
    ),
}  # fmt: skip
CONSUMER_COLUMNS: Mapping[str, Value] = {
    "queue_name": at("queue.name"),
    "channel_pid": pid_at("channel_details.name"),
    **_plain("consumer_tag", "ack_required", "prefetch_count", "active", "activity_status"),
    "arguments": arguments_at("arguments"),
}
CONSUMER_DEFAULT = "queue_name channel_pid consumer_tag ack_required prefetch_count active arguments"


def _list(ctl: Ctl, known: Mapping[str, Value], columns: list[str], items: list[Item]) -> None:
    rows = [[known[column](ctl, item) for column in columns] for item in items]
    ctl.rows(columns, rows, is_streamed=True)


def _items(ctl: Ctl, *parts: str, **query: object) -> list[Item]:
    """The objects of a listing; there are none in a virtual host that is not there."""
    try:
        return ctl.api.listed(*parts, **query)
    except Missing:
        return []


def list_queues(ctl: Ctl, arguments: list[str]) -> None:
    """list_queues [COLUMN…]"""
    columns = checked(arguments or ["name", "messages"], list(QUEUE_COLUMNS))
    ctl.banner(f"Timeout: {ctl.timeout_seconds} seconds ...\nListing queues for vhost {ctl.vhost} ...")
    # The node need not work out what is not shown. These two are how the others are found.
    wanted = None if {"pid", "owner_pid"} & set(columns) else ",".join(columns)
    items = [] if ctl.options.get("offline") else _items(ctl, "queues", ctl.vhost, columns=wanted)
    _list(ctl, QUEUE_COLUMNS, columns, items)


def list_exchanges(ctl: Ctl, arguments: list[str]) -> None:
    """list_exchanges [COLUMN…]"""
    columns = checked(arguments or ["name", "type"], list(EXCHANGE_COLUMNS))
    ctl.banner(f"Listing exchanges for vhost {ctl.vhost} ...")
    _list(ctl, EXCHANGE_COLUMNS, columns, _items(ctl, "exchanges", ctl.vhost, columns=",".join(columns)))


def list_bindings(ctl: Ctl, arguments: list[str]) -> None:
    """list_bindings [COLUMN…]"""
    columns = checked(arguments or list(BINDING_COLUMNS), list(BINDING_COLUMNS))
    ctl.banner(f"Listing bindings for vhost {ctl.vhost}...")
    _list(ctl, BINDING_COLUMNS, columns, _items(ctl, "bindings", ctl.vhost))


def list_connections(ctl: Ctl, arguments: list[str]) -> None:
    """list_connections [COLUMN…]"""
    columns = checked(arguments or ["user", "peer_host", "peer_port", "state"], list(CONNECTION_COLUMNS))
    ctl.banner("Listing connections ...")
    _list(ctl, CONNECTION_COLUMNS, columns, ctl.api.listed("connections"))


def list_channels(ctl: Ctl, arguments: list[str]) -> None:
    """list_channels [COLUMN…]"""
    default = ["pid", "user", "consumer_count", "messages_unacknowledged"]
    columns = checked(arguments or default, list(CHANNEL_COLUMNS))
    ctl.banner("Listing channels ...")
    _list(ctl, CHANNEL_COLUMNS, columns, ctl.api.listed("channels"))


def list_consumers(ctl: Ctl, arguments: list[str]) -> None:
    """list_consumers [COLUMN…]"""
    columns = checked(arguments or CONSUMER_DEFAULT.split(), list(CONSUMER_COLUMNS))
    ctl.banner(f"Listing consumers in vhost {ctl.vhost} ...")
    _list(ctl, CONSUMER_COLUMNS, columns, _items(ctl, "consumers", ctl.vhost))


def list_unresponsive_queues(ctl: Ctl, arguments: list[str]) -> None:
    """list_unresponsive_queues [COLUMN…]"""
    ctl.banner(f"Listing unresponsive queues for vhost {ctl.vhost} ...")
    ctl.rows(["name"], [], is_streamed=True)


def _command(run: Callable[[Ctl, list[str]], None], usage: str, about: str, **switches: type) -> Command:
    return Command(run, usage, about, 0, None, switches)


COMMANDS = {
    "list_queues": _command(
        list_queues,
        "list_queues [--vhost <vhost>] [--online] [--offline] [--local] [--no-table-headers] [<column>, ...] "
        "[--timeout <timeout>]",
        "Lists queues and their properties",
        online=bool, offline=bool, local=bool,
    ),
    "list_exchanges": _command(
        list_exchanges,
        "list_exchanges [--vhost <vhost>] [--no-table-headers] [<column> ...] [--timeout <timeout>]",
        "Lists exchanges",
    ),
    "list_bindings": _command(
        list_bindings,
        "list_bindings [--vhost <vhost>] [--no-table-headers] [<column> ...] [--timeout <timeout>]",
        "Lists all bindings on a vhost",
    ),
    "list_connections": _command(
        list_connections,
        "list_connections [--no-table-headers] [<column> ...] [--timeout <timeout>]",
        "Lists AMQP 0.9.1 connections for the node",
    ),
    "list_channels": _command(
        list_channels, "list_channels [--no-table-headers] [<column> ...]", "Lists all channels in the node"
    ),
    "list_consumers": _command(
        list_consumers,
        "list_consumers [--vhost <vhost>] [--no-table-headers] [<column> ...] [--timeout <timeout>]",
        "Lists all consumers for a vhost",
    ),
    "list_unresponsive_queues": _command(
        list_unresponsive_queues,
        "list_unresponsive_queues [--vhost <vhost>] [--queue-timeout <timeout>] [<column> ...]",
        "Lists nothing: queues cannot be unresponsive by themselves",
        queue_timeout=int, all=bool, local=bool,
    ),
}  # fmt: skip
