"""Diagnostics: who was refused what, and why."""

import pika
import pytest
from tests.management.conftest import Common


def test_refusal_is_shown_with_its_context(ours: Common) -> None:
    with ours.connect() as connection:
        channel = connection.channel()
        with pytest.raises(pika.exceptions.ChannelClosedByBroker):
            channel.queue_declare("nope", passive=True)
    last = ours.api.get("/api/diagnostics/refusals")[0]
    assert last.pop("time").endswith("+00:00")
    assert last["connection"].startswith(last["address"])
    assert {
        name: last[name] for name in ("user", "vhost", "channel", "reply_code", "reply_text", "method")
    } == {
        "user": "guest",
        "vhost": ours.vhost,
        "channel": 1,
        "reply_code": 404,
        "reply_text": f"NOT_FOUND - no queue 'nope' in vhost '{ours.vhost}'",
        "method": "50.10",
    }
