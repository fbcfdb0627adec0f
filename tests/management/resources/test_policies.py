"""Policies and operator policies: set, shown, removed; what makers of policies may do."""

import pytest
from tests.management.cases import NO_VHOST, NOT_FOUND, NOT_JSON, Case, bad, play
from tests.management.conftest import Common

POLICY = {"pattern": "^q", "definition": {"max-length": 5}}
P = "/policies/$V/p"
INVALID = "Validation failed\n\n"


@pytest.mark.parametrize("kind", ["policies", "operator-policies"])
def test_policy_is_set_shown_and_removed(common: Common, kind: str) -> None:
    path = f"/{kind}/$V/p"
    shown = {"vhost": common.vhost, "name": "p", **POLICY, "apply-to": "all", "priority": 0}
    changed = {**shown, "apply-to": "queues", "priority": 3}
    play(
        common,
        [
            Case("PUT", path, POLICY, 201),
            Case("PUT", path, POLICY, 204),
            Case("GET", path, None, 200, shown),
            Case("PUT", path, {**POLICY, "apply-to": "queues", "priority": 3, "extra": 1}, 204),
            Case("GET", f"/{kind}/$V", None, 200, [changed]),
            Case("DELETE", path, None, 204),
            Case("DELETE", path, None, 404, NOT_FOUND),
            Case("GET", path, None, 404, NOT_FOUND),
        ],
    )


def test_what_is_refused_says_why(common: Common) -> None:
    play(
        common,
        [
            Case("PUT", P, {}, 400, bad("[{key_missing,pattern},{key_missing,definition}]")),
            Case("PUT", P, {"pattern": "^q"}, 400, bad("[{key_missing,definition}]")),
            Case("PUT", P, b"[]", 400, NOT_JSON),
            Case("PUT", P, {**POLICY, "definition": {}}, 400, bad(INVALID + "no policy provided\n")),
            Case(
                "PUT",
                P,
                {**POLICY, "pattern": 5},
                400,
                bad(INVALID + "pattern should be a binary but was 5\n"),
            ),
            Case("PUT", "/policies/nowhere/p", POLICY, 404, NO_VHOST),
            Case("GET", "/policies/nowhere", None, 404, NOT_FOUND),
            Case("DELETE", "/policies/nowhere/p", None, 404, NOT_FOUND),
        ],
    )


def test_policy_counts_at_once_and_is_named(ours: Common) -> None:
    ours.api.put(ours.path("/queues/$V/q"))
    ours.api.put(ours.path(P), POLICY)
    ours.api.put(ours.path("/operator-policies/$V/o"), {"pattern": "", "definition": {"max-length": 3}})
    shown = ours.api.get(ours.path("/queues/$V/q"))
    assert (shown["policy"], shown["operator_policy"]) == ("p", "o")
    assert shown["effective_policy_definition"] == {"max-length": 3}


def test_unknown_keys_are_named(ours: Common) -> None:
    """RabbitMQ 3.10 has the signs of HTML here."""
    reason = INVALID + '[{<<"bogus">>,5}] are not recognised policy settings\n'
    play(ours, [Case("PUT", P, {**POLICY, "definition": {"bogus": 5}}, 400, bad(reason))])
