"""Permissions are granted and taken, and are there again."""

import pytest
from tests.control.site import ALICE, Site

from supersoniq.auth.permissions import InvalidPattern, Permission, TopicPermission
from supersoniq.control.administration import Administration
from supersoniq.control.errors import Invalid, Missing


def test_permission_is_granted_and_taken(site: Site, administration: Administration) -> None:
    administration.put_permission("bob", "shop", "^a", "", ".*", ALICE)
    for each in (site, site.again()):
        assert each.administration.permissions.of("bob", "shop") == Permission("^a", "", ".*")
        assert each.administration.permissions.of("bob", "/") is None
    administration.clear_permission("bob", "shop", ALICE)
    for each in (site, site.again()):
        assert each.administration.permissions.of("bob", "shop") is None


def test_topic_permissions_are_by_exchange(site: Site, administration: Administration) -> None:
    administration.put_permission("bob", "shop", "", "", "", ALICE)
    for exchange in ("one", "two"):
        administration.put_topic_permission("bob", "shop", exchange, "^w", "^{username}", ALICE)
    administration.clear_topic_permission("bob", "shop", "one", ALICE)
    for each in (site, site.again()):
        rows = list(each.administration.permissions.topic_rows())
        assert rows == [("bob", "shop", "two", TopicPermission("^w", "^{username}"))]
    administration.clear_topic_permission("bob", "shop", None, ALICE)
    for each in (site, site.again()):
        assert list(each.administration.permissions.topic_rows()) == []
        assert each.administration.permissions.of("bob", "shop") is not None


def test_taking_what_nobody_has_changes_nothing(site: Site, administration: Administration) -> None:
    log = list(site.fake_store.log)
    administration.clear_permission("bob", "shop", ALICE)
    administration.clear_topic_permission("bob", "shop", "e", ALICE)
    assert site.fake_store.log == log
    assert site.events.take() == []


@pytest.mark.parametrize(
    ("user", "vhost", "said"), [("eve", "/", "no such user 'eve'"), ("bob", "x", "no such vhost 'x'")]
)
def test_user_and_vhost_have_to_be_there(
    administration: Administration, user: str, vhost: str, said: str
) -> None:
    for change in (
        lambda: administration.put_permission(user, vhost, "", "", "", ALICE),
        lambda: administration.clear_permission(user, vhost, ALICE),
        lambda: administration.put_topic_permission(user, vhost, "e", "", "", ALICE),
        lambda: administration.clear_topic_permission(user, vhost, None, ALICE),
    ):
        with pytest.raises(Missing, match=said):
            change()


def test_pattern_has_to_be_one(administration: Administration) -> None:
    with pytest.raises(Invalid) as caught:
        administration.put_permission("bob", "/", "(", "", "", ALICE)
    assert isinstance(caught.value.__cause__, InvalidPattern)
    with pytest.raises(Invalid):
        administration.put_topic_permission("bob", "/", "e", "", "[", ALICE)
    assert administration.permissions.of("bob", "/") is None


def test_events_say_who_may_what(site: Site, administration: Administration) -> None:
    administration.put_permission("bob", "/", "a", "b", "c", ALICE)
    administration.put_topic_permission("bob", "/", "e", "b", "c", ALICE)
    administration.clear_topic_permission("bob", "/", "e", ALICE)
    administration.clear_topic_permission("bob", "/", None, ALICE)
    administration.clear_permission("bob", "/", ALICE)
    emitted = site.events.take()
    assert [name for name, _ in emitted] == [
        "permission.created",
        "topic.permission.created",
        "topic.permission.deleted",
        "permission.deleted",
    ]
    granted = {"user": "bob", "vhost": "/", "configure": "a", "write": "b", "read": "c"}
    assert granted.items() <= emitted[0][1].items()
    assert emitted[2][1]["exchange"] == "e"
