"""Limits of virtual hosts are set and cleared, in force at once, and are there again."""

import pytest
from tests.control.site import ALICE, Site

from supersoniq.control.administration import Administration
from supersoniq.control.errors import Invalid, Missing


def limits(site: Site) -> list[dict[str, int]]:
    """Those of `shop`, now and after a restart."""
    return [each.vhosts["shop"].limits.definition() for each in (site, site.again())]


def test_limits_are_set_one_by_one_and_cleared(site: Site, administration: Administration) -> None:
    administration.put_vhost_limits("shop", {"max-queues": 3}, ALICE)
    administration.put_vhost_limits("shop", {"max-connections": 0}, ALICE)
    assert limits(site) == [{"max-connections": 0, "max-queues": 3}] * 2
    administration.clear_vhost_limits("shop", ["max-queues", "max-queues"], ALICE)
    assert limits(site) == [{"max-connections": 0}] * 2
    administration.clear_vhost_limits("shop", None, ALICE)
    assert limits(site) == [{}] * 2


def test_negative_limit_is_none(site: Site, administration: Administration) -> None:
    administration.put_vhost_limits("shop", {"max-queues": 3}, ALICE)
    administration.put_vhost_limits("shop", {"max-queues": -1}, ALICE)
    assert limits(site) == [{}] * 2


def test_what_is_no_limit_is_refused_and_nothing_changes(site: Site, administration: Administration) -> None:
    with pytest.raises(Invalid) as caught:
        administration.put_vhost_limits("shop", {"max-queues": 1, "bogus": 5}, ALICE)
    assert caught.value.reason == ('Validation failed\n\nUnrecognised terms [{<<"bogus">>,5}] in limits\n')
    assert limits(site) == [{}] * 2
    with pytest.raises(Missing, match="no such vhost 'x'"):
        administration.put_vhost_limits("x", {"max-queues": 1}, ALICE)


def test_events_are_those_of_the_parameter_too(site: Site, administration: Administration) -> None:
    administration.put_vhost_limits("shop", {"max-queues": 3}, ALICE)
    administration.clear_vhost_limits("shop", None, ALICE)
    emitted = site.events.take()
    assert [name for name, _ in emitted] == [
        "parameter.set",
        "vhost.limits.set",
        "parameter.cleared",
        "vhost.limits.cleared",
    ]
    assert emitted[0][1]["component"] == "vhost-limits"
    assert emitted[1][1]["max-queues"] == 3
