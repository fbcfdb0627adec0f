"""The fields of the overview and of nodes."""

from tests.management.conftest import Common
from tests.management.views.fields import CHURN, NODE, OVERVIEW, missing


def test_overview_has_all_fields(common: Common) -> None:
    shown = common.api.get("/api/overview")
    assert missing(OVERVIEW, shown) == set()
    assert missing(CHURN, shown["churn_rates"]) == set()
    assert shown["object_totals"].keys() == {"channels", "connections", "consumers", "exchanges", "queues"}
    assert missing("messages messages_ready messages_unacknowledged", shown["queue_totals"]) == set()
    assert missing("node protocol ip_address port socket_opts", shown["listeners"][0]) == set()


def test_who_does_not_watch_over_the_node_sees_less(common: Common) -> None:
    shown = common.user("management", ".*").get("/api/overview")
    assert not {"node", "listeners", "contexts"} & shown.keys()
    assert shown["object_totals"]["exchanges"] == 7


def test_node_has_all_fields(common: Common) -> None:
    shown = common.api.get("/api/nodes")[0]
    assert missing(NODE, shown) == set()


def test_objects_are_counted_at_once(ours: Common) -> None:
    before = ours.api.get("/api/overview")["object_totals"]
    ours.api.put(ours.path("/queues/$V/q"))
    after = ours.api.get("/api/overview")["object_totals"]
    assert after["queues"] == before["queues"] + 1


def test_product_and_compatible_version_are_named(ours: Common) -> None:
    shown = ours.api.get("/api/overview")
    assert (shown["product_name"], shown["rabbitmq_version"]) == ("SupersoniQ", "3.13.7")
