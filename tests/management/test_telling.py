"""Whoever is refused by the API is told of; a request that has no login yet is no refusal."""

from tests.broker.test_events import Listener
from tests.management.api import Api

from supersoniq import Broker


def test_refused_login_is_told_of_once_and_without_its_password() -> None:
    listener = Listener()
    with Broker(management="on") as broker:
        broker.node.events.listeners.append(listener)
        api = Api(broker.api_url)
        assert api.as_user(None).ask("GET", "/api/whoami").status == 401
        assert api.ask("GET", "/api/whoami").status == 200
        assert api.as_user("guest", "hunter2").ask("GET", "/api/whoami?x=hunter2").status == 401
    [fields] = [fields for name, fields in listener.heard if name.startswith("supersoniq.")]
    assert str(fields.pop("user_address")).startswith("127.0.0.1:")
    fields.pop("heard")
    assert fields == {
        "user_who_performed_action": "guest", "reply_code": 401, "reply_text": "Login failed",
        "method": "GET", "path": "/api/whoami",
    }  # fmt: skip


def test_login_is_told_of_once_for_each_user_and_host_and_not_with_each_request() -> None:
    listener = Listener()
    with Broker(management="on") as broker:
        broker.node.events.listeners.append(listener)
        api = Api(broker.api_url)
        for _ in range(3):
            assert api.ask("GET", "/api/whoami").status == 200
        assert api.ask("PUT", "/api/users/second", {"password": "x", "tags": "management"}).status == 201
        assert api.as_user("second", "x").ask("GET", "/api/whoami").status == 200
    logins = [fields for name, fields in listener.heard if name == "user.authentication.success"]
    assert [(fields["name"], fields["protocol"], fields["peer_host"]) for fields in logins] == [
        ("guest", "http", "127.0.0.1"),
        ("second", "http", "127.0.0.1"),
    ]


def test_import_is_told_of_once_with_who_it_was_and_a_rehearsal_is_not() -> None:
    listener = Listener()
    document = {"queues": [{"name": "q", "vhost": "/", "durable": True, "arguments": {}}]}
    with Broker(management="on") as broker:
        broker.node.events.listeners.append(listener)
        api = Api(broker.api_url)
        assert api.ask("POST", "/api/definitions?dry_run=true", document).status == 200
        assert api.ask("POST", "/api/definitions", document).status == 204
    [fields] = [fields for name, fields in listener.heard if name == "supersoniq.definitions.imported"]
    assert (fields["user_who_performed_action"], fields["created"]) == ("guest", 1)
    assert str(fields["user_address"]).startswith("127.0.0.1")
