"""Diagnostics: who was refused what, and why."""

import pika
import pytest
from tests.management.cases import Case, bad, play
from tests.management.conftest import Common

PATH = "/api/diagnostics/refusals"


def refuse(common: Common, queue: str = "nope") -> None:
    with common.connect() as connection:
        channel = connection.channel()
        with pytest.raises(pika.exceptions.ChannelClosedByBroker):
            channel.queue_declare(queue, passive=True)


def test_refusal_is_shown_with_its_context(ours: Common) -> None:
    refuse(ours)
    last = ours.api.get(PATH)[0]
    assert last.pop("time").endswith("+00:00")
    assert last.pop("connection").startswith(last.pop("address"))
    assert last.pop("client").endswith("(contract)")
    assert last == {
        "user": "guest",
        "vhost": ours.vhost,
        "channel": 1,
        "reply_code": 404,
        "reply_text": f"NOT_FOUND - no queue 'nope' in vhost '{ours.vhost}'",
        "method": "50.10",
        "method_name": "queue.declare",
    }


def test_refusals_are_found_by_user_vhost_and_code(ours: Common) -> None:
    refuse(ours, "first")
    refuse(ours, "second")
    here = f"{PATH}?vhost={ours.vhost}"
    texts = [each["reply_text"] for each in ours.api.get(here)]
    assert texts == [f"NOT_FOUND - no queue '{name}' in vhost '{ours.vhost}'" for name in ("second", "first")]
    for query, count in (("&code=404", 2), ("&code=403", 0), ("&user=guest", 2), ("&user=x", 0)):
        assert len(ours.api.get(here + query)) == count, query
    assert ours.api.get(f"{PATH}?vhost=nope") == []


def test_request_that_is_refused_is_there_without_its_password(ours: Common) -> None:
    user = ours.user("management", "^own")
    name = user.get("/api/whoami")["name"]
    headers = {"User-Agent": "tool/1"}
    assert user.ask("PUT", ours.path("/queues/$V/other?x=hidden"), {}, **headers).status == 401
    assert ours.api.as_user(name, "wrong").ask("GET", "/api/whoami", **headers).status == 401
    login, change = ours.api.get(f"{PATH}?user={name}")
    assert (login["reply_text"], login["method"], login["vhost"]) == ("Login failed", "GET /api/whoami", "")
    assert login["address"].startswith("127.0.0.1:")
    assert {name: change[name] for name in ("client", "vhost", "channel", "reply_code", "reply_text")} == {
        "client": "tool/1",
        "vhost": ours.vhost,
        "channel": None,
        "reply_code": 401,
        "reply_text": "Access refused.",
    }
    assert change["method"] == f"PUT {ours.path('/queues/$V/other')}"
    shown = str([login, change])
    assert not [word for word in ("wrong", "hidden", "Basic") if word in shown]


def test_only_monitors_and_administrators_see_them(ours: Common) -> None:
    assert ours.user("monitoring").ask("GET", PATH).status == 200
    answer = ours.user("policymaker", ".*").ask("GET", PATH)
    assert (answer.status, answer.value["reason"]) == (401, "Not monitor user")


def test_code_is_a_number(ours: Common) -> None:
    reason = "code = x: expected a number from 0 to 65535"
    play(ours, [Case("GET", "/diagnostics/refusals?code=x", None, 400, bad(reason))])
