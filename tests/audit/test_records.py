"""Each event that has a record gives one of the schema, with who, where, what and how it ended."""

from typing import Any

import pytest
from tests.audit.schema import check

from supersoniq.amqp.tables import table_of
from supersoniq.audit.records import audit_record

NOW_MS = 1_700_000_000_123
BY_ANN = {"user_who_performed_action": "ann", "user_address": "10.0.0.1:5"}


def recorded(event: str, /, **fields: object) -> dict[str, Any]:
    record = audit_record(event, fields, NOW_MS)
    assert record is not None
    return check(record)


def test_change_says_who_did_what_and_where() -> None:
    patterns = {"configure": ".*", "write": "", "read": "x"}
    assert recorded("permission.created", user="ben", vhost="v", **patterns, **BY_ANN) == {
        "time": "2023-11-14T22:13:20.123+00:00", "event": "permission.created", "user": "ann",
        "address": "10.0.0.1:5", "connection": None, "vhost": "v",
        "object": {"kind": "permission", "name": "ben"}, "outcome": "done",
        "detail": {"user": "ben", **patterns},
    }  # fmt: skip


@pytest.mark.parametrize(("outcome", "error"), [("success", None), ("failure", "user 'ben' - no such user")])
def test_login_says_who_from_where(outcome: str, error: str | None) -> None:
    record = recorded(
        f"user.authentication.{outcome}", name="ben", peer_host="::1", peer_port=7, host="::1", ssl=False,
        connection_name="a -> b", error=error,
    )  # fmt: skip
    assert (record["user"], record["address"], record["connection"]) == ("ben", "[::1]:7", "a -> b")
    assert (record["object"], record["outcome"]) == ({"kind": "user", "name": "ben"}, outcome)
    assert record["detail"] == {"ssl": False} | ({"error": error} if error else {})


def test_refusal_has_code_and_text() -> None:
    record = recorded(
        "supersoniq.access.refused", reply_code=403, reply_text="ACCESS_REFUSED - no", vhost="v", **BY_ANN
    )
    assert (record["event"], record["outcome"], record["object"]) == ("access.refused", "refused", None)
    assert record["detail"] == {"reply_code": 403, "reply_text": "ACCESS_REFUSED - no"}


@pytest.mark.parametrize(
    ("name", "fields", "kind", "named", "vhost"),
    [
        ("user.limits.set", {"name": "limits", "username": "ben"}, "user", "ben", None),
        ("user.created", {"name": "ben"}, "user", "ben", None),
        ("vhost.created", {"name": "v"}, "vhost", "v", "v"),
        ("supersoniq.queue.changed", {"name": b"q", "vhost": "v"}, "queue", "q", "v"),
        ("vhost.limits.set", {"name": "limits", "vhost": "v"}, "vhost", "v", "v"),
        ("topic.permission.deleted", {"user": "ben", "vhost": "v"}, "topic_permission", "ben", "v"),
        ("policy.set", {"name": "p", "vhost": "v"}, "policy", "p", "v"),
        ("operator.policy.cleared", {"name": "p", "vhost": "v"}, "operator_policy", "p", "v"),
        ("parameter.set", {"name": "s", "component": "shovel", "vhost": "v"}, "parameter", "shovel/s", "v"),
        ("queue.deleted", {"name": b"q", "vhost": "v"}, "queue", "q", "v"),
        (
            "binding.created",
            {"source_name": b"e", "destination_name": b"q", "vhost": "v"},
            "binding",
            "e -> q",
            "v",
        ),
    ],
)
def test_object_is_what_was_changed(
    name: str, fields: dict[str, object], kind: str, named: str, vhost: str | None
) -> None:
    record = recorded(name, **fields, **BY_ANN)
    assert record["object"] == {"kind": kind, "name": named}
    assert record["vhost"] == vhost


@pytest.mark.parametrize(
    "name", ["connection.created", "channel.closed", "consumer.created", "alarm.set", "binding"]
)
def test_what_is_no_change_has_no_record(name: str) -> None:
    assert audit_record(name, dict(BY_ANN), NOW_MS) is None


def test_what_goes_by_itself_has_no_record() -> None:
    fields: dict[str, object] = {"user_who_performed_action": "rmq-internal", "name": b"q"}
    assert audit_record("queue.deleted", fields, NOW_MS) is None
    assert audit_record("vhost.created", fields, NOW_MS) is not None


def test_arguments_are_json_and_passwords_are_not_shown() -> None:
    record = recorded(
        "parameter.set", component="shovel", name="s", vhost="v",
        value={"src-uri": "amqp://ann:hunter2@host/v", "dest-password": "hunter2"}, **BY_ANN,
    )  # fmt: skip
    assert record["detail"]["value"] == {"src-uri": "amqp://ann:****@host/v", "dest-password": "****"}
    queue = recorded("queue.created", name=b"\xff", vhost="v", arguments=table_of({"x": [1, b"y"]}), **BY_ANN)
    assert queue["detail"]["arguments"] == {"x": [1, "y"]}


@pytest.mark.parametrize("name", [b"", b"amq.topic"])
def test_exchange_that_comes_with_a_virtual_host_has_no_record(name: bytes) -> None:
    assert audit_record("exchange.created", {"name": name, "vhost": "v", **BY_ANN}, NOW_MS) is None


def test_change_over_the_local_socket_has_a_record_though_its_user_is_called_as_the_node() -> None:
    local = {"user_who_performed_action": "rmq-internal", "user_address": "unix"}
    record = recorded("queue.deleted", name=b"q", vhost="v", **local)
    assert (record["user"], record["address"]) == ("rmq-internal", "unix")


def test_import_of_definitions_has_a_record() -> None:
    record = recorded("supersoniq.definitions.imported", created=3, changed=1, left_out=2, **BY_ANN)
    assert (record["event"], record["user"], record["outcome"]) == ("definitions.imported", "ann", "done")
    assert record["detail"] == {"created": 3, "changed": 1, "left_out": 2}
