"""Where a server is, who logs in there, and to which vhost."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

DEFAULT_URL = "amqp://guest:guest@127.0.0.1:5672/"
DEFAULT_PORT = 5672


@dataclass(frozen=True)
class Address:
    """The parts of an AMQP URI."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    user: str = "guest"
    password: str = "guest"
    vhost: str = "/"

    def __str__(self) -> str:
        """The address without the password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_url(url: str) -> Address:
    """Read `amqp://user:password@host:port/vhost`; what is left out is the default, and so is an empty vhost.

    Raises ValueError with a text for the user.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{url!r} is no AMQP URI: {error}") from None
    if parts.scheme != "amqp":
        raise ValueError(f"{url!r} is no AMQP URI: it must begin with amqp://")
    if parts.query or parts.fragment:
        raise ValueError(f"{url!r} is no AMQP URI that is understood here: it has options")
    return Address(
        host=parts.hostname or "127.0.0.1",
        port=DEFAULT_PORT if port is None else port,
        user=unquote(parts.username) if parts.username is not None else "guest",
        password=unquote(parts.password) if parts.password is not None else "guest",
        vhost=unquote(parts.path[1:]) or "/",
    )
