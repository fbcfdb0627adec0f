"""Parameters, global parameters, and the name of the cluster."""

from tests.management.cases import NOT_FOUND, Case, bad, play
from tests.management.conftest import Common

LIMITS = "/parameters/vhost-limits/$V/limits"
GLOBAL = "/global-parameters/$V"


def test_limits_are_a_parameter(common: Common) -> None:
    value = {"max-queues": 3}
    shown = {"value": value, "vhost": common.vhost, "component": "vhost-limits", "name": "limits"}
    play(
        common,
        [
            Case("PUT", LIMITS, {"value": value}, 201),
            Case("PUT", LIMITS, {"value": value}, 204),
            Case("GET", LIMITS, None, 200, shown),
            Case("GET", "/parameters/vhost-limits/$V", None, 200, [shown]),
            Case("PUT", LIMITS, {}, 400, bad("[{key_missing,value}]")),
            Case("DELETE", LIMITS, None, 204),
            Case("DELETE", LIMITS, None, 404, NOT_FOUND),
        ],
    )


def test_components_that_are_not_there(common: Common) -> None:
    unknown = "Validation failed\n\ncomponent bogus not found\n"
    play(
        common,
        [
            Case("PUT", "/parameters/bogus/$V/n", {"value": 1}, 400, bad(unknown)),
            Case("GET", "/parameters/bogus", None, 200, []),
            Case("GET", "/parameters/bogus/$V", None, 200, []),
            Case("GET", "/parameters/bogus/$V/n", None, 404, NOT_FOUND),
            Case("GET", "/parameters/bogus/nowhere", None, 404, NOT_FOUND),
        ],
    )


def test_policies_are_parameters_to_read(common: Common) -> None:
    common.api.put(common.path("/policies/$V/p"), {"pattern": "a", "definition": {"max-length": 3}})
    value = {"pattern": "a", "definition": {"max-length": 3}, "priority": 0, "apply-to": "all"}
    shown = {"value": value, "vhost": common.vhost, "component": "policy", "name": "p"}
    refused = bad("policies may not be set using this method")
    play(
        common,
        [
            Case("GET", "/parameters/policy/$V", None, 200, [shown]),
            Case("PUT", "/parameters/policy/$V/n", {"value": value}, 400, refused),
        ],
    )


def test_global_parameter(common: Common) -> None:
    play(
        common,
        [
            Case("PUT", GLOBAL, {"value": {"a": 1}}, 201),
            Case("PUT", GLOBAL, {"value": 5}, 204),
            Case("PUT", GLOBAL, {}, 400, bad("[{key_missing,value}]")),
            Case("GET", GLOBAL, None, 200, {"name": common.vhost, "value": 5}),
            Case("DELETE", GLOBAL, None, 204),
            Case("DELETE", GLOBAL, None, 404, NOT_FOUND),
            Case("GET", GLOBAL, None, 404, NOT_FOUND),
            Case("PUT", "/cluster-name", {}, 400, bad("[{key_missing,name}]")),
        ],
    )


def test_cluster_has_a_name(ours: Common) -> None:
    before = ours.api.get("/api/cluster-name")["name"]
    assert before == ours.api.get("/api/overview")["node"]
    play(ours, [Case("PUT", "/cluster-name", {"name": "other"}, 204)])
    assert ours.api.get("/api/overview")["cluster_name"] == "other"
    play(ours, [Case("DELETE", "/global-parameters/cluster_name", None, 204)])
    assert ours.api.get("/api/cluster-name")["name"] == before
