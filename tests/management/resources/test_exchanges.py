"""Exchanges: declared, shown, deleted, and what is answered when that is refused."""

import pytest
from tests.management.cases import NO_VHOST, NOT_FOUND, NOT_JSON, REFUSED, Case, bad, play
from tests.management.conftest import Common

X = "/exchanges/$V/x"
PREDECLARED = ["", "amq.direct", "amq.fanout", "amq.headers", "amq.match", "amq.rabbitmq.trace", "amq.topic"]
OTHER_TYPE = "inequivalent arg 'type' for exchange 'x' in vhost '$V': received '{}' but current is 'topic'"


def test_exchange_is_made_once(common: Common) -> None:
    play(
        common,
        [
            Case("PUT", X, {"type": "topic"}, 201),
            Case("PUT", X, {"type": "topic"}, 204),
            Case("PUT", X, {"type": "fanout"}, 400, bad(OTHER_TYPE.format("fanout"))),
            Case("PUT", X, {}, 400, bad(OTHER_TYPE.format("direct"))),
            Case("PUT", "/exchanges/$V/direct-by-default", {}, 201),
            Case("PUT", "/exchanges/$V/amq.direct", {"type": "direct", "durable": True}, 204),
            Case("DELETE", X, None, 204),
            Case("DELETE", X, None, 404, NOT_FOUND),
        ],
    )


def test_what_is_refused_says_why(common: Common) -> None:
    play(
        common,
        [
            Case("PUT", X, {"type": "bogus"}, 400, bad("invalid exchange type 'bogus'")),
            Case("PUT", X, {"durable": "yes"}, 400, bad(["not_boolean", "yes"])),
            Case("PUT", X, {"arguments": {"a": None}}, 400, bad("null_not_allowed")),
            Case("PUT", X, b"{", 400, NOT_JSON),
            Case("PUT", "/exchanges/$V/amq.x", {"type": "direct"}, 401, REFUSED),
            Case("PUT", "/exchanges/$V/amq.default", {"type": "direct", "durable": True}, 401, REFUSED),
            Case("PUT", "/exchanges/nowhere/x", {}, 404, NO_VHOST),
            Case("DELETE", "/exchanges/$V/amq.direct", None, 401, REFUSED),
            Case("DELETE", "/exchanges/$V/amq.default", None, 401, REFUSED),
        ],
    )


def test_exchange_in_use_is_kept_if_that_is_asked(common: Common) -> None:
    in_use = bad("exchange 'x' in vhost '$V' in use")
    play(
        common,
        [
            Case("PUT", X, {"type": "topic"}, 201),
            Case("PUT", "/queues/$V/q", {}, 201),
            Case("POST", "/bindings/$V/e/x/q/q", {}, 201),
            Case("DELETE", X + "?if-unused=true", None, 400, in_use),
            Case("DELETE", X + "?if-unused=false", None, 204),
        ],
    )


@pytest.mark.parametrize("path", ["/exchanges/$V/nope", "/exchanges/nowhere", "/exchanges/nowhere/x"])
def test_what_is_missing_is_not_found(common: Common, path: str) -> None:
    play(common, [Case("GET", path, None, 404, NOT_FOUND)])


def test_list_begins_with_what_every_virtual_host_has(common: Common) -> None:
    shown = common.api.get(common.path("/exchanges/$V?columns=name"))
    assert [item["name"] for item in shown] == PREDECLARED


def test_arguments_come_back_as_they_went_in(common: Common) -> None:
    arguments = {"alternate-exchange": "a", "n": 1.5, "l": [1, "a"], "t": {"a": True}, "big": 12345678901234}
    common.api.put(common.path(X), {"type": "direct", "internal": True, "arguments": arguments})
    shown = common.api.get(common.path(X))
    assert (shown["arguments"], shown["internal"], shown["incoming"]) == (arguments, True, [])


def test_default_exchange_has_a_name_in_paths(common: Common) -> None:
    shown = common.api.get(common.path("/exchanges/$V/amq.default"))
    assert (shown["name"], shown["type"]) == ("", "direct")
