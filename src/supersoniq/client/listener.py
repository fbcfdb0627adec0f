"""What a connection tells its owner while it runs, in plain calls on the event loop."""

from mypy_extensions import i64, mypyc_attr

from supersoniq.client.errors import ClientError


@mypyc_attr(allow_interpreted_subclasses=True)
class Listener:
    """Hears nothing; override what is of interest. What that raises goes to the event loop's handler."""

    def delivered(self, channel: i64, delivery_tag: i64, data: bytes, start: i64, end: i64) -> None:
        """Take a whole delivery, its body `data[start:end]`: slice it out to keep it."""

    def confirmed(self, channel: i64, delivery_tag: i64, multiple: bool, accepted: bool) -> None:
        """Take a publisher confirm: an ack if `accepted`, else a nack."""

    def cancelled(self, channel: i64, consumer_tag: bytes) -> None:
        """Take note that the server ended a consumer."""

    def turn_ended(self) -> None:
        """Everything that came in one read has been told; what is in the wire's `out` leaves after this."""

    def writable(self) -> None:
        """The transport takes bytes again after it had refused them."""

    def channel_closed(self, channel: i64, error: ClientError) -> None:
        """The server closed a channel."""

    def lost(self, error: ClientError) -> None:
        """The connection ended, and not because `close` was called."""
