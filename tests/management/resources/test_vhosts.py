"""Virtual hosts: made, changed, shown, deleted."""

from tests.management.cases import NOT_FOUND, NOT_JSON, Case, bad, play
from tests.management.conftest import Common

V = "/vhosts/$V-new"
FIELDS = "columns=name,description,tags,metadata,tracing,default_queue_type"


def shown(common: Common) -> dict[str, object]:
    found: dict[str, object] = common.api.get(common.path(V) + "?" + FIELDS)
    return found


def test_virtual_host_is_made_changed_and_deleted(common: Common) -> None:
    name = f"{common.vhost}-new"
    play(common, [Case("PUT", V, {}, 201), Case("PUT", V, {}, 204), Case("PUT", V, b"", 204)])
    bare = {"name": name, "description": "", "tags": [], "metadata": {"description": "", "tags": []}}
    assert shown(common) == {**bare, "tracing": False, "default_queue_type": "undefined"}
    play(common, [Case("PUT", V, {"description": "d", "tags": "a, b", "tracing": True}, 204)])
    metadata = {"description": "d", "tags": ["a", "b"]}
    told = {
        "name": name,
        **metadata,
        "metadata": metadata,
        "tracing": True,
        "default_queue_type": "undefined",
    }
    assert shown(common) == told
    play(
        common,
        [
            Case("PUT", V, {"tracing": False, "tags": ["x"]}, 204),
            Case("PUT", V, b"[]", 400, NOT_JSON),
            Case("PUT", V, {"tracing": "yes"}, 400, bad(["not_boolean", "yes"])),
            Case("DELETE", V, None, 204),
            Case("DELETE", V, None, 404, NOT_FOUND),
            Case("GET", V, None, 404, NOT_FOUND),
        ],
    )


def test_who_makes_one_may_use_it(common: Common) -> None:
    play(common, [Case("GET", "/permissions/$V/guest", None, 200)])


def test_node_of_a_start_has_to_be_there(common: Common) -> None:
    reason = "Request to node nope failed with nodedown"
    play(common, [Case("POST", "/vhosts/$V/start/nope", b"", 400, bad(reason))])


def test_queues_are_of_the_type_that_the_virtual_host_says(ours: Common) -> None:
    ours.api.put(ours.path("/vhosts/$V"), {"default_queue_type": "quorum"})
    ours.api.put(ours.path("/queues/$V/q"), {"durable": True})
    assert ours.api.get(ours.path("/queues/$V/q?columns=type")) == {"type": "quorum"}
    play(
        ours,
        [
            Case(
                "PUT",
                "/vhosts/$V",
                {"default_queue_type": "bogus"},
                400,
                bad("unsupported queue type 'bogus'"),
            )
        ],
    )
