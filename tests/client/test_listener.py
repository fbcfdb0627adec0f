"""A listener that overrides nothing."""

from supersoniq.client.errors import ClientError
from supersoniq.client.listener import Listener


def test_listener_hears_everything_without_a_word() -> None:
    listener = Listener()
    listener.delivered(1, 1, b"body", 0, 4)
    listener.confirmed(1, 1, True, False)
    listener.cancelled(1, b"tag")
    listener.turn_ended()
    listener.writable()
    listener.channel_closed(1, ClientError())
    listener.lost(ClientError())
