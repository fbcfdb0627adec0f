"""Virtual hosts come, change and go while the node runs, and are there again."""

import pytest
from tests.control.site import ALICE, Site
from tests.fakes import message

from supersoniq.amqp.tables import table_of
from supersoniq.control.administration import Administration
from supersoniq.control.errors import Invalid, Missing
from supersoniq.control.records import VHostMetadata


def test_vhost_is_there_with_what_is_said_of_it_and_is_there_again(site: Site) -> None:
    site.administration.put_vhost("v", "a place", ["a", "b"], "quorum", True, ALICE)
    for each in (site, site.again()):
        assert each.administration.vhost_metadata["v"] == VHostMetadata("a place", ("a", "b"), "quorum", True)
        vhost = each.vhosts["v"]
        assert vhost.default_queue_type == b"quorum"
        assert vhost.tracing.is_on


def test_changing_it_leaves_what_is_in_it(site: Site, administration: Administration) -> None:
    queue = site.vhosts["/"].declare_queue(b"q", True, False, False, {}, 0)
    administration.put_vhost("/", "other", [], "undefined", False, ALICE)
    assert site.vhosts["/"].queues[b"q"] is queue
    assert site.vhosts["/"].default_queue_type == b"classic"
    assert administration.vhost_metadata["/"] == VHostMetadata("other")


def test_tracing_goes_off_again(site: Site, administration: Administration) -> None:
    administration.put_vhost("/", "", [], "", True, ALICE)
    administration.put_vhost("/", "", [], "", False, ALICE)
    assert not site.vhosts["/"].tracing.is_on


def test_events_tell_new_from_changed(site: Site) -> None:
    for _ in range(2):
        site.administration.put_vhost("v", "d", ["t"], "", False, ALICE)
    (created, fields), (updated, _) = site.events.take()
    assert (created, updated) == ("vhost.created", "vhost.updated")
    assert fields == {
        "name": "v",
        "description": "d",
        "tags": ["t"],
        "default_queue_type": "undefined",
        "tracing": False,
        "user_who_performed_action": "alice",
        "user_address": "127.0.0.1:1",
    }


def test_deleted_vhost_is_gone_with_all_that_was_in_it_and_said_of_it(
    site: Site, administration: Administration
) -> None:
    shop = site.vhosts["shop"]
    queue = shop.declare_queue(b"q", True, False, False, {}, 0)
    shop.declare_queue(b"own", False, True, False, {}, 7)
    shop.declare_exchange(b"e", "topic", True, False, False, table_of({"x-message-deduplication": True}))
    later = table_of({"x-delayed-type": "fanout"})
    shop.declare_exchange(b"later", "x-delayed-message", True, False, False, later)
    shop.bind(b"e", queue, b"k", {})
    shop.bind(b"amq.direct", queue, b"k", {})
    shop.bind(b"amq.direct", shop.exchanges[b"amq.topic"], b"k", {})
    shop.publish(message(b"kept", persistent=True), [queue])
    administration.put_permission("bob", "shop", "a", "b", "c", ALICE)
    administration.put_topic_permission("bob", "shop", "e", "b", "c", ALICE)
    administration.put_policy("shop", "p", "", "all", 0, {"max-length": 5}, False, ALICE)
    administration.put_policy("shop", "p", "", "all", 0, {"max-length": 5}, True, ALICE)
    administration.put_vhost_limits("shop", {"max-queues": 50}, ALICE)
    site.events.take()
    administration.delete_vhost("shop", ALICE)
    assert site.node.log == ["close in shop: vhost 'shop' is deleted"]
    assert [name for name, _ in site.events.take()] == ["permission.deleted", "vhost.deleted"]
    assert site.fake_store.definitions == []
    assert not any(vhost == "shop" or name == "shop" for _, vhost, name in site.fake_store.kept_settings)
    assert not site.fake_store.is_in_transaction
    for each in (site, site.again()):
        assert set(each.vhosts) == set(each.administration.vhost_metadata) == {"/"}
        assert list(each.administration.permissions.rows()) == []


def test_name_can_be_used_again_and_is_empty(site: Site, administration: Administration) -> None:
    site.vhosts["shop"].declare_queue(b"q", True, False, False, {}, 0)
    administration.delete_vhost("shop", ALICE)
    administration.put_vhost("shop", "", [], "", False, ALICE)
    assert site.vhosts["shop"].queues == {}
    assert b"amq.topic" in site.vhosts["shop"].exchanges


def test_vhost_that_is_not_there_is_missing(administration: Administration) -> None:
    with pytest.raises(Missing, match="no such vhost 'x'"):
        administration.delete_vhost("x", ALICE)


@pytest.mark.parametrize(("name", "queue_type"), [("", ""), ("v" * 256, ""), ("v", "stream"), ("v", "x")])
def test_what_makes_no_sense_is_refused(site: Site, name: str, queue_type: str) -> None:
    with pytest.raises(Invalid):
        site.administration.put_vhost(name, "", [], queue_type, False, ALICE)
    assert site.vhosts == {}


def test_vhost_of_which_only_queues_are_known_is_adopted(site: Site) -> None:
    site.vhosts["old"] = site.node.make_vhost("old")
    site.administration.adopt()
    assert site.administration.vhost_metadata["old"] == VHostMetadata()
    assert "old" in site.again().vhosts
