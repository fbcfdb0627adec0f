"""Users by name, and what their tags let them do."""

import pytest

from supersoniq.auth.passwords import SHA256, PasswordHash
from supersoniq.auth.users import User, Users


def test_users_are_found_by_name_in_the_order_in_which_they_came() -> None:
    users = Users([User("bob")])
    users.put(User("ann"))
    assert users.names == ["bob", "ann"]
    assert [user.name for user in users] == ["bob", "ann"]
    assert users.get("ann") == User("ann")
    assert users.get("Ann") is None
    assert "bob" in users
    assert len(users) == 2


def test_user_is_replaced_by_one_of_its_name() -> None:
    users = Users([User("ann")])
    users.put(User("ann", tags=frozenset({"administrator"})))
    assert [user.tags for user in users] == [{"administrator"}]


def test_user_is_removed_once() -> None:
    users = Users([User("ann")])
    assert users.remove("ann")
    assert not users.remove("ann")
    assert len(users) == 0


@pytest.mark.parametrize("tag", ["administrator", "monitoring", "policymaker", "management"])
def test_tags_open_the_management_api(tag: str) -> None:
    assert User("ann", tags=frozenset({tag, "mine"})).may_use_management


def test_other_tags_do_not_open_it() -> None:
    ann = User("ann", tags=frozenset({"impersonator", "mine", "protected"}))
    assert not ann.may_use_management
    assert ann.is_impersonator
    assert not User("bob").is_impersonator


def test_user_does_not_show_its_hash() -> None:
    assert "c2VjcmV0" not in repr(User("ann", PasswordHash(SHA256, "c2VjcmV0")))
