"""Connections: listed, closed, and seen by whom they concern."""

import pika
import pytest
from tests.management.cases import NOT_FOUND, Case, play
from tests.management.conftest import Common
from tests.management.waiting import eventually

FOREIGN = {"error": "not_authorised", "reason": "User not authorised to access object"}


def connections(common: Common) -> list[dict[str, object]]:
    """Those to the virtual host; RabbitMQ sees them some seconds later."""
    return eventually(lambda: common.api.get(common.path("/vhosts/$V/connections")))


def quoted(name: object) -> str:
    return str(name).replace(" ", "%20").replace(">", "%3E")


def test_connection_is_listed_and_found_by_its_name(common: Common) -> None:
    with common.connect():
        shown = connections(common)[0]
        assert (shown["user"], shown["user_provided_name"], shown["protocol"]) == (
            "guest",
            "contract",
            "AMQP 0-9-1",
        )
        name = str(shown["name"])
        assert name == f"127.0.0.1:{shown['peer_port']} -> 127.0.0.1:{shown['port']}"
        alone = common.api.get(f"/api/connections/{quoted(name)}")
        assert (alone["name"], alone["connected_at"]) == (name, shown["connected_at"])
        names = [each["name"] for each in common.api.get("/api/connections/username/guest")]
        assert name in names


def test_connection_is_closed_with_the_reason_that_is_given(common: Common) -> None:
    connection = common.connect()
    name = quoted(connections(common)[0]["name"])
    answer = common.api.ask("DELETE", f"/api/connections/{name}", **{"X-Reason": "because"})
    assert answer.status == 204
    with pytest.raises(pika.exceptions.ConnectionClosedByBroker) as raised:
        connection.process_data_events(30)
    assert (raised.value.reply_code, raised.value.reply_text) == (320, "CONNECTION_FORCED - because")


def test_connections_of_a_user_are_closed_together(common: Common) -> None:
    user = common.user("", ".*").user
    opened = [common.connect(user, "secret") for _ in range(2)]
    eventually(lambda: len(connections(common)) == 2)
    assert common.api.delete(f"/api/connections/username/{user}") == 204
    for connection in opened:
        with pytest.raises(pika.exceptions.ConnectionClosedByBroker):
            connection.process_data_events(30)


def test_what_is_missing(common: Common) -> None:
    play(
        common,
        [
            Case("GET", "/connections/nope", None, 404, NOT_FOUND),
            Case("DELETE", "/connections/nope", None, 404, NOT_FOUND),
            Case("GET", "/connections/username/nobody", None, 200, []),
            Case("DELETE", "/connections/username/nobody", None, 204),
            Case("GET", "/vhosts/nowhere/connections", None, 404, NOT_FOUND),
        ],
    )


def test_users_see_their_own_connections_only(common: Common) -> None:
    own, watcher = common.user("management", ".*"), common.user("monitoring", ".*")
    with common.connect(), common.connect(own.user, "secret"):
        eventually(lambda: len(connections(common)) == 2)
        path = common.path("/vhosts/$V/connections?columns=user")
        assert own.get(path) == [{"user": own.user}]
        assert len(watcher.get(path)) == 2
        name = quoted(next(each["name"] for each in connections(common) if each["user"] == "guest"))
        answer = own.ask("GET", f"/api/connections/{name}")
        assert (answer.status, answer.value) == (401, FOREIGN)


def test_users_close_their_own_connections_only(ours: Common) -> None:
    """RabbitMQ 3.10 has an internal error here."""
    own = ours.user("management", ".*")
    with ours.connect():
        name = quoted(connections(ours)[0]["name"])
        answer = own.ask("DELETE", f"/api/connections/{name}")
        assert (answer.status, answer.value) == (401, FOREIGN)
        answer = own.ask("DELETE", "/api/connections/username/guest")
        assert (answer.status, answer.value) == (401, FOREIGN)
    mine = ours.connect(own.user, "secret")
    name = quoted(connections(ours)[0]["name"])
    assert own.delete(f"/api/connections/{name}") == 204
    with pytest.raises(pika.exceptions.ConnectionClosedByBroker):
        mine.process_data_events(30)
