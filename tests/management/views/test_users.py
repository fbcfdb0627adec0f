"""The fields of users."""

from tests.management.conftest import Common
from tests.management.views.fields import USER


def test_user_has_exactly_these_fields(common: Common) -> None:
    assert common.api.get("/api/users/guest").keys() == set(USER.split())
