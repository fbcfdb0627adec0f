"""The configuration brings each user and virtual host once."""

from tests.control.site import ALICE, OTHER_HASH, Site

from supersoniq.auth.passwords import PasswordHash
from supersoniq.auth.permissions import Permission
from supersoniq.control.first_start import FirstUser, bring, permit

TAGS = frozenset({"administrator"})


def first(name: str, password: bytes = b"secret") -> FirstUser:
    return FirstUser(name, password, TAGS, (".*", "w", "r"))


def hash_of(password: bytes) -> PasswordHash:
    return PasswordHash("test", password.hex())


def test_first_start_brings_users_who_may_use_everything(site: Site) -> None:
    bring(site.administration, ["/", "shop"], [first("ann")], hash_of)
    for each in (site, site.again()):
        administration = each.administration
        ann = administration.users.get("ann")
        assert ann is not None
        assert (ann.password, ann.tags) == (hash_of(b"secret"), TAGS)
        assert {vhost for _, vhost, _ in administration.permissions.rows()} == {"/", "shop"}
        assert administration.permissions.of("ann", "/") == Permission(".*", "w", "r")


def test_later_start_leaves_alone_what_is_there(site: Site) -> None:
    bring(site.administration, ["/"], [first("ann")], hash_of)
    site.administration.put_user("ann", OTHER_HASH, frozenset(), ALICE)
    site.administration.clear_permission("ann", "/", ALICE)
    again = site.again()
    log = list(site.fake_store.log)
    bring(again.administration, ["/"], [first("ann", b"another")], hash_of)
    assert site.fake_store.log == log
    ann = again.administration.users.get("ann")
    assert ann is not None
    assert (ann.password, ann.tags) == (OTHER_HASH, frozenset())
    assert again.administration.permissions.of("ann", "/") is None


def test_what_was_deleted_does_not_come_back(site: Site) -> None:
    bring(site.administration, ["/", "shop"], [first("guest"), first("ann")], hash_of)
    site.administration.delete_user("guest", ALICE)
    site.administration.delete_vhost("shop", ALICE)
    again = site.again()
    bring(again.administration, ["/", "shop"], [first("guest"), first("ann")], hash_of)
    assert again.administration.users.names == ["ann"]
    assert list(again.vhosts) == ["/"]


def test_what_is_added_to_the_configuration_comes_with_the_next_start(site: Site) -> None:
    bring(site.administration, ["/"], [first("ann")], hash_of)
    again = site.again()
    bring(again.administration, ["/", "shop"], [first("ann"), first("bob")], hash_of)
    rows = {(user, vhost) for user, vhost, _ in again.administration.permissions.rows()}
    assert rows == {("ann", "/"), ("ann", "shop"), ("bob", "/"), ("bob", "shop")}


def test_user_that_operators_have_made_is_not_changed(site: Site) -> None:
    site.administration.put_user("ann", OTHER_HASH, frozenset(), ALICE)
    bring(site.administration, ["/"], [first("ann")], hash_of)
    ann = site.administration.users.get("ann")
    assert ann is not None
    assert ann.password == OTHER_HASH


def test_it_is_one_transaction(site: Site) -> None:
    bring(site.administration, ["/"], [first("ann")], hash_of)
    assert (site.fake_store.log[0], site.fake_store.log[-1]) == ("begin", "commit")


def test_permission_is_given_to_those_who_are_there(site: Site) -> None:
    bring(site.administration, ["/"], [first("ann")], hash_of)
    site.administration.put_vhost("new", "", [], "", False, ALICE)
    permit(site.administration, [first("ann"), first("gone")], ["/", "new"])
    assert {vhost for _, vhost, _ in site.administration.permissions.rows()} == {"/", "new"}
