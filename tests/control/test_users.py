"""Users come, change and go, and are there again."""

import pytest
from tests.control.site import ALICE, HASH, OTHER_HASH, Site

from supersoniq.auth.passwords import PasswordHash
from supersoniq.auth.users import User
from supersoniq.control.administration import Administration
from supersoniq.control.errors import Invalid, Missing

TAGS = frozenset({"management", "own"})
WHO = {"user_who_performed_action": "alice", "user_address": "127.0.0.1:1"}


def test_user_is_there_and_is_there_again(site: Site, administration: Administration) -> None:
    administration.put_user("ann", HASH, TAGS, ALICE)
    wanted = User("ann", HASH, TAGS, {})
    assert administration.users.get("ann") == wanted
    assert site.again().administration.users.get("ann") == wanted


def test_user_without_a_password_has_none_later_either(site: Site, administration: Administration) -> None:
    found = site.again().administration.users.get("bob")
    assert found is not None
    assert found.password is None


def test_another_password_keeps_the_limits(site: Site, administration: Administration) -> None:
    administration.put_user_limits("bob", {"max-channels": 3}, ALICE)
    administration.put_user("bob", OTHER_HASH, TAGS, ALICE)
    wanted = User("bob", OTHER_HASH, TAGS, {"max-channels": 3})
    assert administration.users.get("bob") == wanted
    again = site.again()
    assert again.administration.users.get("bob") == wanted
    assert int(again.limits_of("bob").max_channels) == 3


def test_events_say_what_was_changed_by_whom_and_no_secret(
    site: Site, administration: Administration
) -> None:
    administration.put_user("ann", HASH, TAGS, ALICE)
    administration.put_user("ann", OTHER_HASH, frozenset(), ALICE)
    administration.put_user("ann", None, frozenset(), ALICE)
    administration.set_tags("ann", TAGS, ALICE)
    administration.delete_user("ann", ALICE)
    emitted = site.events.take()
    assert [name for name, _ in emitted] == [
        "user.created",
        "user.tags.set",
        "user.password.changed",
        "user.tags.set",
        "user.password.cleared",
        "user.tags.set",
        "user.tags.set",
        "user.deleted",
    ]
    assert emitted[0][1] == {"name": "ann", **WHO}
    assert emitted[1][1] == {"name": "ann", "tags": ["management", "own"], **WHO}
    assert not any(HASH.encoded in repr(fields) for _, fields in emitted)


def test_deleted_user_is_gone_with_permissions_limits_and_connections(
    site: Site, administration: Administration
) -> None:
    administration.put_permission("bob", "shop", "a", "b", "c", ALICE)
    administration.put_topic_permission("bob", "/", "amq.topic", "b", "c", ALICE)
    administration.put_user_limits("bob", {"max-connections": 0}, ALICE)
    administration.delete_user("bob", ALICE)
    assert site.node.log == ["close of bob: user 'bob' is deleted"]
    assert site.limits_of("bob").definition() == {}
    for each in (site, site.again()):
        assert "bob" not in each.administration.users
        assert list(each.administration.permissions.rows()) == []
        assert list(each.administration.permissions.topic_rows()) == []


def test_user_that_is_not_there_is_missing(administration: Administration) -> None:
    for change in (
        lambda: administration.delete_user("eve", ALICE),
        lambda: administration.set_tags("eve", TAGS, ALICE),
        lambda: administration.put_user_limits("eve", {}, ALICE),
        lambda: administration.clear_user_limits("eve", None, ALICE),
    ):
        with pytest.raises(Missing, match="no such user 'eve'"):
            change()


@pytest.mark.parametrize("name", ["", "u" * 256, "ü" * 128])
def test_name_has_to_be_one_that_amqp_can_say(administration: Administration, name: str) -> None:
    with pytest.raises(Invalid):
        administration.put_user(name, HASH, TAGS, ALICE)
    assert name not in administration.users


def test_limits_are_set_one_by_one_and_cleared(site: Site, administration: Administration) -> None:
    administration.put_user_limits("bob", {"max-channels": 3}, ALICE)
    administration.put_user_limits("bob", {"max-connections": 5}, ALICE)
    assert site.limits_of("bob").definition() == {"max-channels": 3, "max-connections": 5}
    administration.clear_user_limits("bob", ["max-channels"], ALICE)
    assert site.limits_of("bob").definition() == {"max-connections": 5}
    assert site.again().limits_of("bob").definition() == {"max-connections": 5}
    administration.clear_user_limits("bob", None, ALICE)
    assert site.again().limits_of("bob").definition() == {}
    names = [name for name, _ in site.events.take()]
    assert names == [*["user.limits.set"] * 2, *["user.limits.cleared"] * 2]


def test_limit_that_is_none_is_refused_in_rabbitmqs_words(administration: Administration) -> None:
    with pytest.raises(Invalid) as caught:
        administration.put_user_limits("bob", {"bogus": 5}, ALICE)
    assert caught.value.reason == 'Unrecognised terms [{<<"bogus">>,5}] in user-limits'


def test_every_algorithm_is_kept_as_it_is(site: Site, administration: Administration) -> None:
    password = PasswordHash("scrypt", "scrypt$n=16384,r=8,p=5$c2FsdHNhbHQ=$" + "a" * 44)
    administration.put_user("ann", password, TAGS, ALICE)
    found = site.again().administration.users.get("ann")
    assert found is not None
    assert found.password == password
