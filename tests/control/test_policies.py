"""Policies are set and cleared, in force at once, and are there again."""

import pytest
from tests.control.site import ALICE, Site

from supersoniq.control.administration import Administration
from supersoniq.control.errors import Invalid, Missing
from supersoniq.control.policies import checked_policy


def lengths(site: Site) -> list[int]:
    """The longest that queue `q` of `/` may be, now and after a restart."""
    again = site.again()
    again.vhosts["/"].declare_queue(b"q", False, False, False, {}, 0)
    return [int(each.vhosts["/"].queues[b"q"].rules.max_length) for each in (site, again)]


def test_policy_is_in_force_and_is_there_again(site: Site, administration: Administration) -> None:
    site.vhosts["/"].declare_queue(b"q", False, False, False, {}, 0)
    administration.put_policy("/", "p", "^q", "queues", 3, {"max-length": 5}, False, ALICE)
    assert lengths(site) == [5, 5]
    administration.put_policy("/", "o", "^q", "queues", 0, {"max-length": 2}, True, ALICE)
    assert lengths(site) == [2, 2]
    administration.put_policy("/", "p", "^r", "queues", 3, {"max-length": 1}, False, ALICE)
    assert lengths(site) == [2, 2]
    administration.delete_policy("/", "o", True, ALICE)
    administration.delete_policy("/", "p", False, ALICE)
    assert lengths(site) == [-1, -1]


def test_both_kinds_may_have_one_name(site: Site, administration: Administration) -> None:
    for is_operator in (False, True):
        administration.put_policy("/", "p", "", "all", 0, {"expires": 9}, is_operator, ALICE)
    administration.delete_policy("/", "p", False, ALICE)
    policies = site.again().vhosts["/"].policies
    assert (list(policies.user.by_name), list(policies.operator.by_name)) == ([], ["p"])


def test_several_are_set_at_once(site: Site, administration: Administration) -> None:
    policies = [checked_policy(name, "", "all", 0, {"expires": 9}, False) for name in ("a", "b")]
    administration.put_policies("/", policies, ALICE)
    assert list(site.again().vhosts["/"].policies.user.by_name) == ["a", "b"]
    assert [name for name, _ in site.events.take()] == ["policy.set", "policy.set"]


def test_what_is_refused_is_refused_in_rabbitmqs_words(site: Site, administration: Administration) -> None:
    with pytest.raises(Invalid) as caught:
        administration.put_policy("/", "p", "", "all", 0, {"bogus": 5}, False, ALICE)
    assert caught.value.reason == (
        'Validation failed\n\n[{<<"bogus">>,5}] are not recognised policy settings\n'
    )
    assert site.vhosts["/"].policies.user.by_name == {}


def test_vhost_and_policy_have_to_be_there(administration: Administration) -> None:
    with pytest.raises(Missing, match="no such vhost 'x'"):
        administration.put_policy("x", "p", "(", "all", 0, {"expires": 9}, False, ALICE)
    with pytest.raises(Missing, match="no such policy 'p'"):
        administration.delete_policy("/", "p", False, ALICE)
    with pytest.raises(Missing, match="no such operator policy 'p'"):
        administration.delete_policy("/", "p", True, ALICE)


def test_events_are_those_of_rabbitmq(site: Site, administration: Administration) -> None:
    for is_operator in (False, True):
        administration.put_policy("/", "p", "^a", "queues", 3, {"expires": 9}, is_operator, ALICE)
        administration.delete_policy("/", "p", is_operator, ALICE)
    emitted = site.events.take()
    assert [name for name, _ in emitted] == [
        "policy.set",
        "policy.cleared",
        "parameter.set",
        "policy.set",
        "parameter.cleared",
        "operator.policy.cleared",
    ]
    value = {"pattern": "^a", "apply-to": "queues", "priority": 3, "definition": {"expires": 9}}
    assert {"vhost": "/", "name": "p", **value}.items() <= emitted[0][1].items()
    assert emitted[2][1]["value"] == value
