"""What rabbitmqctl says of a node."""

from supersoniq.cli.ctl.facts import alarms_of, gigabytes, listener_line, listeners_of

OVERVIEW = {
    "node": "n@h",
    "listeners": [
        {"node": "n@h", "protocol": "amqp", "ip_address": "127.0.0.1", "port": 5672},
        {"node": "n@h", "protocol": "http", "ip_address": "::", "port": 15672},
        {"protocol": "own", "ip_address": "::", "port": 1},
    ],
}


def test_listeners_are_named_by_purpose() -> None:
    assert [listener_line(listener) for listener in listeners_of(OVERVIEW)] == [
        "Interface: 127.0.0.1, port: 5672, protocol: amqp, purpose: AMQP 0-9-1 and AMQP 1.0",
        "Interface: [::], port: 1, protocol: own, purpose: own",
        "Interface: [::], port: 15672, protocol: http, purpose: HTTP API",
    ]


def test_alarms_are_worded_as_there() -> None:
    assert alarms_of({"name": "n", "mem_alarm": True, "disk_free_alarm": True}) == [
        "Memory alarm on node n",
        "Free disk space alarm on node n",
    ]
    assert alarms_of({"name": "n", "mem_alarm": False}) == []


def test_sizes_are_gigabytes() -> None:
    assert [gigabytes(count) for count in (141300000, 0, None)] == ["0.1413 gb", "0.0 gb", "0.0 gb"]
