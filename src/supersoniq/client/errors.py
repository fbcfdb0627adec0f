"""What a client raises; the texts are one line, fit to be shown."""


class ClientError(Exception):
    """Anything that ends what was asked for."""


class Unreachable(ClientError):
    """No AMQP 0-9-1 server answered at the address, or not in time."""


class ConnectionLost(ClientError):
    """The connection ended without a close, or was closed by this side while something was waiting."""


class ClosedByServer(ClientError):
    """The server closed something, with its reply code and text."""

    def __init__(self, reply_code: int, reply_text: str) -> None:
        super().__init__(f"{reply_code} {reply_text}")
        self.reply_code = reply_code
        self.reply_text = reply_text


class ConnectionClosed(ClosedByServer):
    """The server closed the connection; a refused login is 403."""


class ChannelClosed(ClosedByServer):
    """The server closed the channel; the connection goes on."""
