"""Queues: declared, shown, purged, deleted, and what is answered when that is refused."""

import pytest
from pika.adapters.blocking_connection import BlockingChannel
from tests.management.cases import NO_VHOST, NOT_FOUND, NOT_JSON, REFUSED, Case, bad, play
from tests.management.conftest import Common

Q = "/queues/$V/q"
INEQUIVALENT = "inequivalent arg '{}' for queue 'q' in vhost '$V': received 'true' but current is 'false'"


def test_queue_is_made_once(common: Common) -> None:
    play(
        common,
        [
            Case("PUT", Q, {}, 201),
            Case("PUT", Q, {}, 204),
            Case("PUT", Q, b"", 204),
            Case("PUT", Q, b"null", 204),
            Case("PUT", Q, {"name": "other", "vhost": "other", "whatever": 1}, 204),
            Case("PUT", Q, {"arguments": []}, 204),
            Case("PUT", Q, {"durable": "false"}, 204),
            Case("DELETE", Q, None, 204),
            Case("DELETE", Q, None, 404, NOT_FOUND),
        ],
    )


def test_what_is_refused_comes_back_as_the_text_of_amqp(common: Common) -> None:
    too_long = "x" * 256
    play(
        common,
        [
            Case("PUT", Q, {}, 201),
            Case("PUT", Q, {"durable": True}, 400, bad(INEQUIVALENT.format("durable"))),
            Case("PUT", Q, {"auto_delete": True}, 400, bad(INEQUIVALENT.format("auto_delete"))),
            Case("PUT", Q, {"durable": "yes"}, 400, bad(["not_boolean", "yes"])),
            Case("PUT", Q, b"{", 400, NOT_JSON),
            Case("PUT", Q, b"[]", 400, NOT_JSON),
            Case("PUT", Q, b"1", 400, NOT_JSON),
            Case(
                "PUT",
                "/queues/$V/q2",
                {"arguments": {"x-max-length": "a"}},
                400,
                bad(
                    "invalid arg 'x-max-length' for queue 'q2' in vhost '$V': "
                    '"expected integer, got longstr"'
                ),
            ),
            Case("PUT", Q, {"arguments": {"a": None}}, 400, bad("null_not_allowed")),
            Case("PUT", Q, {"node": "x@y"}, 400, bad("Node x@y could not be contacted")),
            Case("PUT", "/queues/$V/amq.x", {}, 401, REFUSED),
            Case("PUT", "/queues/nowhere/q", {}, 404, NO_VHOST),
            Case(
                "PUT",
                f"/queues/$V/{too_long}",
                {},
                400,
                bad("queue should be less than 255 bytes, actually was 256\n"),
            ),
        ],
    )


@pytest.mark.parametrize("path", ["/queues/$V/nope", "/queues/nowhere", "/queues/nowhere/q"])
def test_what_is_missing_is_not_found(common: Common, path: str) -> None:
    play(common, [Case("GET", path, None, 404, NOT_FOUND)])


def test_conditions_of_a_deletion_hold(common: Common, channel: BlockingChannel) -> None:
    channel.queue_declare("q")
    channel.confirm_delivery()
    channel.basic_publish("", "q", b"x")
    empty, unused = bad("queue 'q' in vhost '$V' not empty"), bad("queue 'q' in vhost '$V' in use")
    play(common, [Case("DELETE", Q + "?if-empty=true", None, 400, empty)])
    channel.basic_consume("q", lambda *_: None)
    play(
        common,
        [
            Case("DELETE", Q + "?if-unused=true", None, 400, unused),
            Case("DELETE", Q + "?if-unused=false", None, 204),
        ],
    )


def test_purge_drops_what_is_ready(common: Common, channel: BlockingChannel) -> None:
    channel.queue_declare("q")
    channel.confirm_delivery()
    channel.basic_publish("", "q", b"x")
    play(
        common,
        [
            Case("DELETE", Q + "/contents", None, 204),
            Case("DELETE", "/queues/$V/nope/contents", None, 404, NOT_FOUND),
            Case("GET", Q + "/contents", None, 405, b""),
        ],
    )
    assert channel.queue_declare("q", passive=True).method.message_count == 0


def test_actions_of_mirrored_queues_are_known(common: Common) -> None:
    play(
        common,
        [
            Case("PUT", Q, {}, 201),
            Case("POST", Q + "/actions", {"action": "sync"}, 204),
            Case("POST", Q + "/actions", {"action": "bogus"}, 400, bad(["unknown", "bogus"])),
            Case("POST", Q + "/actions", {}, 400, bad("[{key_missing,action}]")),
        ],
    )


def test_permissions_are_those_of_amqp(common: Common) -> None:
    own = common.user("management", "^own")
    put = common.path("/queues/$V/{}").format
    common.api.put(put("other"))
    assert own.put(put("own-queue")) == 201
    for method, path in (
        ("PUT", put("new")),
        ("DELETE", put("other")),
        ("DELETE", put("other") + "/contents"),
    ):
        answer = own.ask(method, path, {})
        assert (answer.status, answer.value) == (401, REFUSED)
    assert own.delete(put("own-queue")) == 204


def test_dead_letter_exchange_takes_permissions_too(common: Common) -> None:
    own = common.user("management", "^own")
    path = common.path("/queues/$V/own-dead")
    answer = own.ask("PUT", path, {"arguments": {"x-dead-letter-exchange": "other"}})
    assert (answer.status, answer.value) == (401, REFUSED)
    assert own.put(path, {"arguments": {"x-dead-letter-exchange": "own-exchange"}}) == 201


# Lists


def names(common: Common, query: str) -> list[str]:
    shown = common.api.get(common.path("/queues/$V?" + query))
    items = shown["items"] if isinstance(shown, dict) else shown
    return [item["name"] for item in items]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("columns=name", ["a", "b", "c1", "c2"]),
        ("columns=name&sort=name&sort_reverse=true", ["c2", "c1", "b", "a"]),
        ("columns=name&page=1&page_size=3", ["a", "b", "c1"]),
        ("columns=name&page=2&page_size=3", ["c2"]),
        ("columns=name&page=1&name=c", ["c1", "c2"]),
        ("columns=name&page=1&name=%5Ec%7Ca&use_regex=true", ["a", "c1", "c2"]),
        ("columns=name&page=1&name=zzz", []),
        ("columns=name&page_size=2", ["a", "b", "c1", "c2"]),
    ],
)
def test_list_is_filtered_sorted_and_cut_into_pages(common: Common, query: str, expected: list[str]) -> None:
    for name in ("c2", "a", "c1", "b"):
        common.api.put(common.path(f"/queues/$V/{name}"))
    assert names(common, query) == expected


def test_page_says_where_it_stands(common: Common) -> None:
    for name in ("a", "b", "c"):
        common.api.put(common.path(f"/queues/$V/{name}"))
    page = common.api.get(common.path("/queues/$V?page=1&page_size=2&name=b&columns=name"))
    assert page == {
        "filtered_count": 1,
        "item_count": 1,
        "items": [{"name": "b"}],
        "page": 1,
        "page_count": 1,
        "page_size": 2,
        "total_count": 3,
    }


INVALID = "invalid_pagination_parameters"


@pytest.mark.parametrize(
    ("query", "error", "reason"),
    [
        ("page=0", INVALID, "Invalid pagination parameters: page number 0, page size undefined"),
        ("page=1&page_size=0", INVALID, "Invalid pagination parameters: page number 1, page size 0"),
        ("page=1&page_size=501", INVALID, "Invalid pagination parameters: page number 1, page size 501"),
        ("page=x", "bad_request", "Pagination parameters are invalid"),
        ("page=1&page_size=x", "bad_request", "Pagination parameters are invalid"),
        ("page=1&name=(&use_regex=true", "bad_request", "Pagination parameters are invalid"),
        ("page=9", "page_out_of_range", "Page out of range, page: 9 page size: 100, len: 1"),
        (
            "lengths_age=-1&lengths_incr=5",
            "invalid_range_parameters",
            "Invalid range parameters: age -1, incr 5",
        ),
        (
            "lengths_age=60&lengths_incr=0",
            "invalid_range_parameters",
            "Invalid range parameters: age 60, incr 0",
        ),
    ],
)
def test_query_that_makes_no_sense_is_refused(common: Common, query: str, error: str, reason: str) -> None:
    common.api.put(common.path("/queues/$V/q"))
    play(common, [Case("GET", f"/queues/$V?{query}", None, 400, {"error": error, "reason": reason})])


def test_list_can_be_sorted_by_anything(ours: Common, our_channel: BlockingChannel) -> None:
    common, channel = ours, our_channel
    channel.confirm_delivery()
    for count, name in enumerate(("a", "b", "c")):
        channel.queue_declare(name)
        for _ in range(count):
            channel.basic_publish("", name, b"x")
    assert names(common, "sort=messages&sort_reverse=true") == ["c", "b", "a"]
    assert names(common, "sort=message_stats.publish&sort_reverse=true") == ["c", "b", "a"]
    assert names(common, "sort=messages_details.rate") == ["a", "b", "c"]
    assert names(common, "sort=backing_queue_status.len&sort_reverse=true") == ["c", "b", "a"]


def test_figures_are_those_of_now(ours: Common, our_channel: BlockingChannel) -> None:
    our_channel.queue_declare("q")
    our_channel.confirm_delivery()
    for number in range(1, 4):
        our_channel.basic_publish("", "q", b"x" * 10)
        shown = ours.api.get(ours.path("/queues/$V/q"))
        assert (shown["messages"], shown["message_bytes"]) == (number, 10 * number)
        assert shown["message_stats"]["publish"] == number


def test_bindings_of_a_queue_that_is_missing_are_not_found(ours: Common) -> None:
    """RabbitMQ makes up the one to the default exchange."""
    play(ours, [Case("GET", "/queues/$V/nope/bindings", None, 404, NOT_FOUND)])


def test_name_of_the_servers_own_is_nobodys(common: Common) -> None:
    play(common, [Case("PUT", "/queues/$V/amq.gen-foo", {}, 401, REFUSED)])
