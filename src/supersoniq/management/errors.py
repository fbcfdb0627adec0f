"""What is answered instead of a result: RabbitMQ's statuses and JSON bodies."""

from typing import Final

from supersoniq.management.encoding import encode

CHALLENGE: Final = 'Basic realm="RabbitMQ Management"'


class ApiError(Exception):
    """An answer that is an error; `headers` are added to it. Without `error` its body is empty."""

    def __init__(
        self, status: int, error: str = "", reason: object = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {error}: {reason}")
        self.status = status
        self.error = error
        self.reason = reason
        self.headers = headers or {}

    def body(self) -> bytes:
        """Return what is sent."""
        return encode({"error": self.error, "reason": self.reason}) if self.error else b""


def not_found() -> ApiError:
    """Return what answers a path that names nothing."""
    return ApiError(404, "Object Not Found", "Not Found")


def missing(reason: str) -> ApiError:
    """Return what answers a request that needs something that is not there."""
    return ApiError(404, "not_found", reason)


def bad_request(reason: object) -> ApiError:
    """Return what answers a request that cannot be understood, or that the broker refuses."""
    return ApiError(400, "bad_request", reason)


def not_authenticated() -> ApiError:
    """Return what answers a request without credentials."""
    return ApiError(401, headers={"www-authenticate": CHALLENGE})


def login_failed() -> ApiError:
    """Return what answers wrong credentials."""
    return ApiError(401, "not_authorized", "Login failed", {"www-authenticate": CHALLENGE})


def not_authorised(reason: str) -> ApiError:
    """Return what answers a user who may not do it."""
    return ApiError(401, "not_authorised", reason)
