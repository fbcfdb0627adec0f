"""Who may log in, from where, and that nothing of a password is kept."""

import pytest

from supersoniq.auth.users import Users

USERS = {"guest": "guest", "ann": "päss"}


@pytest.fixture
def users() -> Users:
    return Users(USERS, ["guest"])


def test_right_password_is_accepted(users: Users) -> None:
    assert users.authenticates("ann", "päss".encode(), False)


@pytest.mark.parametrize("password", [b"", b"Guest", b"guest ", b"p\xe4ss"])
def test_wrong_password_is_refused(users: Users, password: bytes) -> None:
    assert not users.authenticates("guest", password, True)
    assert not users.authenticates("ann", password, True)


@pytest.mark.parametrize("name", ["", "nobody", "Guest", "guest\x00", "\udcff"])
def test_unknown_user_is_refused(users: Users, name: str) -> None:
    assert not users.authenticates(name, b"guest", True)


def test_loopback_user_is_refused_from_elsewhere(users: Users) -> None:
    assert users.authenticates("guest", b"guest", True)
    assert not users.authenticates("guest", b"guest", False)


def test_user_of_the_configuration_may_enter_every_vhost(users: Users) -> None:
    assert users.may_enter("ann", "/")
    assert users.may_enter("ann", "another")
    assert not users.may_enter("nobody", "/")


def test_passwords_are_not_kept(users: Users) -> None:
    kept = repr(vars(users))
    assert "päss" not in kept
    assert repr("päss".encode()) not in kept


def test_same_password_hashes_differently_in_each_node() -> None:
    one, other = Users(USERS, []), Users(USERS, [])
    assert vars(one)["_hashes"] != vars(other)["_hashes"]


def test_node_without_users_lets_nobody_in() -> None:
    users = Users({}, [])
    assert not users.authenticates("guest", b"guest", True)
