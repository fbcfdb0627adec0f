"""Users and their fields."""

from supersoniq.auth.passwords import SHA256
from supersoniq.auth.users import User
from supersoniq.management.views.common import Fields


def user_view(user: User) -> Fields:
    """Return a user as RabbitMQ lists it; administrators see password hashes."""
    password = user.password
    return {
        "name": user.name,
        "password_hash": "" if password is None else password.encoded,
        "hashing_algorithm": SHA256 if password is None else password.algorithm,
        "tags": sorted(user.tags),
        "limits": dict(user.limits),
    }
