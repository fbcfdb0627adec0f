"""The port through which a session asks whether a client may log in; the answer may come in a later turn."""

from abc import ABC, abstractmethod

from mypy_extensions import mypyc_attr


@mypyc_attr(allow_interpreted_subclasses=True)
class Login(ABC):
    """One attempt to log in; `password` is None where a certificate has shown who it is.

    Whoever decides calls `grant` or `refuse`; only the first call counts.
    """

    def __init__(self, user: str, password: bytes | None, host: str, from_loopback: bool) -> None:
        self.user = user
        self.password = password
        self.host = host  # the address of the client, without its port
        self.from_loopback = from_loopback
        self.is_over = False  # decided, or of no interest any more: the client is gone

    def grant(self) -> None:
        """Let the client in."""
        if not self.is_over:
            self.is_over = True
            self.granted()

    def refuse(self, reason: str) -> None:
        """Turn the client away; `reason` is for the log, not for the client."""
        if not self.is_over:
            self.is_over = True
            self.refused(reason)

    @abstractmethod
    def granted(self) -> None:
        """Go on: the client is who it says."""

    @abstractmethod
    def refused(self, reason: str) -> None:
        """Turn the client away."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Logins(ABC):
    """Decides about logins. Implemented by `server/`."""

    @abstractmethod
    def attempt(self, login: Login) -> None:
        """Grant or refuse a login, now or in a later turn."""
