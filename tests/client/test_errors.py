"""What a client raises."""

from supersoniq.client.errors import ChannelClosed, ClientError


def test_close_by_the_server_shows_code_and_text() -> None:
    error = ChannelClosed(404, "NOT_FOUND - no queue 'q' in vhost '/'")
    assert isinstance(error, ClientError)
    assert (error.reply_code, str(error)) == (404, "404 NOT_FOUND - no queue 'q' in vhost '/'")
