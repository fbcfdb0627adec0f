"""Bindings: made, listed, found by their key, removed."""

from urllib.parse import unquote

from tests.management.cases import NO_VHOST, NOT_FOUND, REFUSED, Case, play
from tests.management.conftest import Common

B = "/bindings/$V/e/x/q/q"


def prepare(common: Common) -> None:
    common.api.put(common.path("/exchanges/$V/x"), {"type": "topic"})
    common.api.put(common.path("/queues/$V/q"))


def bound(common: Common, body: object) -> str:
    """The key of a new binding, from the place that the answer names."""
    answer = common.api.ask("POST", common.path(B), body, **{"Content-Type": "application/json"})
    assert answer.status == 201
    name, _, key = answer.headers["location"].partition("/")
    assert name == "q"
    return unquote(key)


def test_binding_says_by_which_key_it_is_found(common: Common) -> None:
    prepare(common)
    for body, key in (
        ({"routing_key": "a.#"}, "a.%23"),
        ({}, "~"),
        ({"routing_key": "k%/ ~é"}, "k%25%2F+%7E%C3%A9"),
    ):
        assert bound(common, body) == key
    keys = {each["properties_key"] for each in common.api.get(common.path(B))}
    assert keys == {"a.%23", "~", "k%25%2F+%7E%C3%A9"}


def test_key_tells_arguments_apart(common: Common) -> None:
    prepare(common)
    keys = [bound(common, {"routing_key": "k", "arguments": {"a": value}}) for value in (1, 2)]
    assert len(set(keys)) == 2
    for value, key in enumerate(keys, 1):
        assert key.startswith("k~")
        shown = common.api.get(common.path(f"{B}/{key}"))
        assert (shown["arguments"], shown["properties_key"]) == ({"a": value}, key)
    common.api.delete(common.path(f"{B}/{keys[0]}"))
    assert [each["properties_key"] for each in common.api.get(common.path(B))] == [keys[1]]


def test_binding_is_removed_by_its_key_encoded_once_or_twice(common: Common) -> None:
    prepare(common)
    play(
        common,
        [
            Case("POST", B, {"routing_key": "a.#"}, 201),
            Case("GET", B + "/a.%23", None, 200),
            Case("GET", B + "/a.%2523", None, 200),
            Case("DELETE", B + "/a.%2523", None, 204),
            Case("DELETE", B + "/a.%2523", None, 404, NOT_FOUND),
            Case("POST", B, b"", 201),
            Case("DELETE", B + "/~", None, 204),
            Case("GET", B + "/~", None, 404, NOT_FOUND),
        ],
    )


def test_what_is_missing_or_not_allowed(common: Common) -> None:
    prepare(common)
    no_exchange = {"error": "not_found", "reason": "no exchange 'nope' in vhost '$V'"}
    no_queue = {"error": "not_found", "reason": "no queue 'nope' in vhost '$V'"}
    play(
        common,
        [
            Case("POST", "/bindings/$V/e/nope/q/q", {}, 404, no_exchange),
            Case("POST", "/bindings/$V/e/x/q/nope", {}, 404, no_queue),
            Case("POST", "/bindings/nowhere/e/x/q/q", {}, 404, NO_VHOST),
            Case("POST", "/bindings/$V/e/amq.default/q/q", {}, 401, REFUSED),
            Case("GET", "/bindings/$V/e/x/q/nope", None, 200, []),
            Case("GET", "/bindings/$V/e/nope/q/q", None, 200, []),
            Case("GET", "/bindings/nowhere", None, 404, NOT_FOUND),
            Case("GET", "/exchanges/$V/x/bindings/bogus", None, 404, NOT_FOUND),
            Case("GET", "/exchanges/$V/nope/bindings/source", None, 200, []),
        ],
    )


def test_lists_show_both_directions(common: Common) -> None:
    prepare(common)
    common.api.put(common.path("/exchanges/$V/y"), {"type": "fanout"})
    common.api.post(common.path("/bindings/$V/e/x/e/y"), {"routing_key": "k"})
    common.api.post(common.path(B), {"routing_key": "r"})
    by_default = {
        "source": "",
        "vhost": common.vhost,
        "destination": "q",
        "destination_type": "queue",
        "routing_key": "q",
        "arguments": {},
        "properties_key": "q",
    }
    to_queue = {**by_default, "source": "x", "routing_key": "r", "properties_key": "r"}
    to_exchange = {
        **to_queue,
        "destination": "y",
        "destination_type": "exchange",
        "routing_key": "k",
        "properties_key": "k",
    }
    get = common.api.get
    assert get(common.path("/bindings/$V")) == [by_default, to_queue, to_exchange]
    assert get(common.path("/queues/$V/q/bindings")) == [by_default, to_queue]
    assert get(common.path("/exchanges/$V/x/bindings/source")) == [to_queue, to_exchange]
    assert get(common.path("/exchanges/$V/y/bindings/destination")) == [to_exchange]
    assert get(common.path("/bindings/$V/e/x/e/y")) == [to_exchange]
    assert get(common.path("/bindings/$V/e/amq.default/q/q")) == [by_default]


def test_permissions_are_those_of_amqp(common: Common) -> None:
    prepare(common)
    own = common.user("management", "^own")
    own.put(common.path("/queues/$V/own-queue"))
    for path in (B, "/bindings/$V/e/x/q/own-queue"):
        answer = own.ask("POST", common.path(path), {})
        assert (answer.status, answer.value) == (401, REFUSED)
