"""Messages: published, and taken from queues, in all modes and encodings."""

import pytest
from pika.adapters.blocking_connection import BlockingChannel
from tests.management.cases import Case, bad, play
from tests.management.conftest import Common

PUBLISH = "/exchanges/$V/amq.default/publish"
GET = "/queues/$V/q/get"
MESSAGE = {"routing_key": "q", "payload": "x", "payload_encoding": "string", "properties": {}}
FETCH = {"count": 5, "ackmode": "ack_requeue_true", "encoding": "auto"}
PROPERTIES = {
    "content_type": "text/plain",
    "content_encoding": "identity",
    "headers": {"a": 1, "b": [1, {"c": "d"}], "e": 1.5, "f": True},
    "delivery_mode": 2,
    "priority": 3,
    "correlation_id": "c",
    "reply_to": "r",
    "expiration": "60000",
    "message_id": "m",
    "timestamp": 1234567890,
    "type": "t",
    "user_id": "guest",
    "app_id": "a",
    "cluster_id": "cl",
}


def published(common: Common, **changes: object) -> bool:
    return bool(common.api.post(common.path(PUBLISH), {**MESSAGE, **changes})["routed"])


def fetched(common: Common, **changes: object) -> list[dict[str, object]]:
    found: list[dict[str, object]] = common.api.post(common.path(GET), {**FETCH, **changes})
    return found


@pytest.fixture(autouse=True)
def queue(common: Common) -> None:
    common.api.put(common.path("/queues/$V/q"))


def test_publish_says_whether_a_queue_took_it(common: Common) -> None:
    assert published(common)
    assert not published(common, routing_key="nope")


def test_message_comes_back_as_it_went_in(common: Common) -> None:
    published(common, properties=PROPERTIES)
    assert fetched(common) == [
        {
            "payload_bytes": 1,
            "redelivered": False,
            "exchange": "",
            "routing_key": "q",
            "message_count": 0,
            "properties": PROPERTIES,
            "payload": "x",
            "payload_encoding": "string",
        }
    ]


def test_unknown_properties_are_passed_over(common: Common) -> None:
    published(common, properties={"bogus": 1})
    assert fetched(common)[0]["properties"] == []


def test_octets_travel_in_base64(common: Common) -> None:
    published(common, payload="AAH/", payload_encoding="base64")
    for encoding, truncate, payload, shown in (
        ("auto", None, "AAH/", "base64"),
        ("base64", None, "AAH/", "base64"),
        ("base64", 2, "AAE=", "base64"),
    ):
        change = {} if truncate is None else {"truncate": truncate}
        message = fetched(common, encoding=encoding, **change)[0]
        assert (message["payload"], message["payload_encoding"]) == (payload, shown)
        assert message["payload_bytes"] == 3


@pytest.mark.parametrize(
    ("ack_mode", "left", "redelivered"),
    [
        ("ack_requeue_true", 2, True),
        ("reject_requeue_true", 2, True),
        ("ack_requeue_false", 1, False),
        ("reject_requeue_false", 1, False),
    ],
)
def test_mode_says_what_becomes_of_a_message(
    common: Common, channel: BlockingChannel, ack_mode: str, left: int, redelivered: bool
) -> None:
    published(common, payload="first")
    published(common, payload="second")
    assert [each["payload"] for each in fetched(common, count=1, ackmode=ack_mode)] == ["first"]
    assert channel.queue_declare("q", passive=True).method.message_count == left
    rest = fetched(common)
    assert len(rest) == left
    assert rest[0]["redelivered"] is redelivered


@pytest.mark.parametrize(("count", "found"), [(0, 0), (1, 1), ("2", 2), (-1, 3), (10, 3)])
def test_count_says_how_many(common: Common, count: object, found: int) -> None:
    for number in range(3):
        published(common, payload=str(number))
    assert [each["payload"] for each in fetched(common, count=count)] == ["0", "1", "2"][:found]


def test_publishes_that_make_no_sense(common: Common) -> None:
    names = ("routing_key", "properties", "payload", "payload_encoding")
    missing = "[" + ",\n ".join([f"{{key_missing,{name}}}" for name in names]) + "]"
    play(
        common,
        [
            Case("POST", PUBLISH, {}, 400, bad(missing)),
            Case("POST", PUBLISH, {**MESSAGE, "payload": 5}, 400, bad("payload_not_string")),
            Case(
                "POST",
                PUBLISH,
                {**MESSAGE, "payload_encoding": "bogus"},
                400,
                bad(["unsupported_encoding", "bogus"]),
            ),
            Case(
                "POST",
                PUBLISH,
                {**MESSAGE, "payload": "!!", "payload_encoding": "base64"},
                400,
                bad(["not_base64", "!!"]),
            ),
            Case(
                "POST",
                PUBLISH,
                {**MESSAGE, "properties": {"delivery_mode": "x"}},
                400,
                bad(["not_int", "delivery_mode"]),
            ),
            Case(
                "POST",
                PUBLISH,
                {**MESSAGE, "properties": {"expiration": 5}},
                400,
                bad(["not_string", "expiration"]),
            ),
            Case(
                "POST",
                PUBLISH,
                {**MESSAGE, "properties": {"headers": {"a": None}}},
                400,
                bad("null_not_allowed"),
            ),
        ],
    )


def test_requests_for_messages_that_make_no_sense(common: Common) -> None:
    play(
        common,
        [
            Case(
                "POST",
                GET,
                {},
                400,
                bad("[{key_missing,ackmode},{key_missing,count},{key_missing,encoding}]"),
            ),
            Case("POST", GET, {"count": 1}, 400, bad("[{key_missing,ackmode},{key_missing,encoding}]")),
            Case("POST", GET, {**FETCH, "count": "x"}, 400, bad(["not_integer", "x"])),
            Case("POST", GET, {**FETCH, "truncate": "x"}, 400, bad(["not_integer", "x"])),
            Case(
                "POST",
                GET,
                {**FETCH, "encoding": "bogus"},
                400,
                bad("Unsupported encoding. Please use auto or base64."),
            ),
            Case("GET", GET, None, 405, b""),
        ],
    )


def test_what_amqp_refuses_comes_with_its_code(common: Common) -> None:
    common.api.put(common.path("/exchanges/$V/internal"), {"internal": True})
    user_id = "406 PRECONDITION_FAILED - user_id property set to 'other' but authenticated user was 'guest'"
    play(
        common,
        [
            Case(
                "POST",
                "/exchanges/$V/nope/publish",
                MESSAGE,
                400,
                bad("404 NOT_FOUND - no exchange 'nope' in vhost '$V'"),
            ),
            Case(
                "POST",
                "/exchanges/$V/internal/publish",
                MESSAGE,
                400,
                bad("403 ACCESS_REFUSED - cannot publish to internal exchange 'internal' in vhost '$V'"),
            ),
            Case("POST", PUBLISH, {**MESSAGE, "properties": {"user_id": "other"}}, 400, bad(user_id)),
            Case(
                "POST",
                PUBLISH,
                {**MESSAGE, "properties": {"expiration": "abc"}},
                400,
                bad("406 PRECONDITION_FAILED - invalid expiration 'abc': no_integer"),
            ),
            Case(
                "POST",
                "/queues/$V/nope/get",
                FETCH,
                404,
                {"error": "not_found", "reason": "NOT_FOUND - no queue 'nope' in vhost '$V'"},
            ),
        ],
    )


def test_exclusive_queue_is_locked(common: Common, channel: BlockingChannel) -> None:
    channel.queue_declare("mine", exclusive=True)
    answer = common.api.ask("POST", common.path("/queues/$V/mine/get"), FETCH)
    assert answer.status == 400
    assert answer.value["reason"].startswith("405 RESOURCE_LOCKED - cannot obtain exclusive access to locked")


def test_permissions_are_those_of_amqp(ours: Common) -> None:
    """RabbitMQ 4 says which permission it is, 3.10 does not."""
    ours.api.put(ours.path("/queues/$V/q"))
    own = ours.user("management", "^own")
    answer = own.ask("POST", ours.path(PUBLISH), MESSAGE)
    refused = f"'amq.default' in vhost '{ours.vhost}' refused for user"
    assert (answer.status, answer.value["error"]) == (400, "bad_request")
    assert answer.value["reason"].startswith(f"403 ACCESS_REFUSED - write access to exchange {refused}")
    answer = own.ask("POST", ours.path(GET), FETCH)
    assert (answer.status, answer.value["error"]) == (401, "not_authorised")
    assert answer.value["reason"].startswith("ACCESS_REFUSED - read access to queue 'q'")


def test_mode_that_nobody_knows_is_refused(ours: Common) -> None:
    """In RabbitMQ it is an internal error."""
    play(ours, [Case("POST", GET, {**FETCH, "ackmode": "bogus"}, 400, bad(["unknown_ackmode", "bogus"]))])


def test_many_messages_are_taken_in_slices_and_stay_in_order(
    ours: Common, our_channel: BlockingChannel
) -> None:
    our_channel.queue_declare("q")
    our_channel.confirm_delivery()
    for number in range(500):
        our_channel.basic_publish("", "q", str(number).encode())
    for _ in range(2):
        taken = fetched(ours, count=1000)
        assert [each["payload"] for each in taken] == [str(number) for number in range(500)]
