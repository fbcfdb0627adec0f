"""The stage has what a document may change, and nothing that is done there is seen."""

import json

from tests.control.site import ALICE, HASH, Site

from supersoniq.definitions_file.document import parse_document
from supersoniq.definitions_file.export import export_node
from supersoniq.definitions_file.staging import staged

DOCUMENT = parse_document(
    json.dumps(
        {
            "queues": [{"vhost": "/", "name": "named", "durable": True}],
            "exchanges": [{"vhost": "/", "name": "amq.late", "type": "topic", "durable": True}],
        }
    ).encode()
)


def test_stage_is_a_copy_with_the_queues_that_are_named(site: Site) -> None:
    administration = site.furnish()
    administration.put_permission("bob", "/", "a", "b", "c", ALICE)
    administration.put_topic_permission("bob", "/", "e", "b", "c", ALICE)
    administration.put_user_limits("bob", {"max-channels": 4}, ALICE)
    administration.put_global_parameter("g", 1, ALICE)
    root = site.vhosts["/"]
    for name in (b"named", b"other"):
        root.declare_queue(name, True, False, False, {}, 0)
    root.predeclare(b"amq.late", "topic", True)
    stage = staged(administration, DOCUMENT)
    assert list(stage.permissions.rows()) == list(administration.permissions.rows())
    assert list(stage.permissions.topic_rows()) == list(administration.permissions.topic_rows())
    assert list(stage.users) == list(administration.users)
    assert stage.limits_of("bob").definition() == {"max-channels": 4}
    assert stage.vhost_metadata == administration.vhost_metadata
    assert stage.global_parameters == {"g": 1}
    assert list(stage.vhosts["/"].queues) == [b"named"]
    assert stage.vhosts["/"].exchanges[b"amq.late"].internal


def test_what_is_done_on_the_stage_is_not_seen(site: Site) -> None:
    administration = site.furnish()
    before, log = export_node(administration, "x", "1"), list(site.fake_store.log)
    stage = staged(administration, DOCUMENT)
    stage.put_vhost("new", "", [], "", False, ALICE)
    stage.put_user("ann", HASH, frozenset(), ALICE)
    stage.put_permission("guest", "/", "", "", "", ALICE)
    stage.put_policy("/", "p", "", "all", 0, {"expires": 1}, False, ALICE)
    stage.put_global_parameter("cluster_name", "x", ALICE)
    stage.delete_user("bob", ALICE)
    stage.delete_vhost("shop", ALICE)
    assert export_node(administration, "x", "1") == before
    assert site.fake_store.log == log
    assert site.node.log == []
    assert site.events.take() == []


def test_limit_on_the_stage_leaves_room_for_as_many_new_queues(site: Site) -> None:
    administration = site.furnish()
    root = site.vhosts["/"]
    for number in range(5):
        root.declare_queue(b"%d" % number, True, False, False, {}, 0)
    root.declare_queue(b"named", True, False, False, {}, 0)
    administration.put_vhost_limits("/", {"max-queues": 8, "max-connections": 3}, ALICE)
    limits = staged(administration, DOCUMENT).vhosts["/"].limits
    assert limits.definition() == {"max-queues": 3, "max-connections": 3}


def test_default_queue_type_is_that_of_the_vhost(site: Site) -> None:
    administration = site.furnish()
    administration.put_vhost("/", "", [], "quorum", False, ALICE)
    stage = staged(administration, DOCUMENT)
    types = [stage.vhosts[name].default_queue_type for name in ("/", "shop")]
    assert types == [b"quorum", b"classic"]
