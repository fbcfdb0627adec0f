"""Parameters of components, and global ones."""

import pytest
from tests.control.site import ALICE, Site

from supersoniq.control.administration import Administration
from supersoniq.control.errors import Invalid, Missing

POLICY = {"pattern": "^a", "definition": {"max-length": 5}}


def test_operator_policies_and_limits_are_parameters(site: Site, administration: Administration) -> None:
    administration.put_parameter("operator_policy", "/", "o", POLICY, ALICE)
    administration.put_vhost_limits("/", {"max-connections": 5}, ALICE)
    administration.put_parameter("vhost-limits", "/", "limits", {"max-queues": 7}, ALICE)
    wanted = {
        ("operator_policy", "/", "o"): {**POLICY, "apply-to": "all", "priority": 0},
        ("vhost-limits", "/", "limits"): {"max-queues": 7},
    }
    for each in (site, site.again()):
        assert each.administration.parameters == wanted
    administration.delete_parameter("operator_policy", "/", "o", ALICE)
    administration.delete_parameter("vhost-limits", "/", "limits", ALICE)
    for each in (site, site.again()):
        assert each.administration.parameters == {}


def test_no_limits_are_an_empty_list_in_rabbitmq(site: Site, administration: Administration) -> None:
    administration.put_parameter("vhost-limits", "/", "limits", {"max-queues": 7}, ALICE)
    administration.put_parameter("vhost-limits", "/", "limits", [], ALICE)
    assert site.again().administration.parameters == {}


@pytest.mark.parametrize(
    ("component", "name", "value", "said"),
    [
        ("shovel", "s", {}, "Validation failed\n\ncomponent shovel not found\n"),
        ("policy", "p", POLICY, "policies may not be set using this method"),
        ("vhost-limits", "other", {}, "Validation failed\n\ncomponent vhost-limits not found\n"),
        ("vhost-limits", "limits", 5, "Validation failed\n\nlimits should be a map\n"),
        ("operator_policy", "o", 5, "Validation failed\n\npattern should be a binary but was null\n"),
    ],
)
def test_what_nobody_knows_is_refused(
    administration: Administration, component: str, name: str, value: object, said: str
) -> None:
    with pytest.raises(Invalid) as caught:
        administration.put_parameter(component, "/", name, value, ALICE)
    assert caught.value.reason.startswith(said[:-1])
    assert administration.parameters == {}


def test_parameter_that_is_not_there_is_missing(administration: Administration) -> None:
    for component in ("shovel", "operator_policy", "vhost-limits"):
        with pytest.raises(Missing):
            administration.delete_parameter(component, "/", "limits", ALICE)
    with pytest.raises(Missing, match="no such vhost"):
        administration.put_parameter("shovel", "x", "s", {}, ALICE)


def test_global_parameters_are_any_json(site: Site, administration: Administration) -> None:
    value = {"a": [1, 2.5, None, True, "ü"]}
    administration.put_global_parameter("g", value, ALICE)
    for each in (site, site.again()):
        assert each.administration.global_parameters == {"g": value}
    administration.delete_global_parameter("g", ALICE)
    for each in (site, site.again()):
        assert each.administration.global_parameters == {}
    with pytest.raises(Missing, match="no such global parameter 'g'"):
        administration.delete_global_parameter("g", ALICE)
    assert [name for name, _ in site.events.take()] == ["parameter.set", "parameter.cleared"]


def test_cluster_name_is_told_to_clients(site: Site, administration: Administration) -> None:
    assert administration.cluster_name == ""
    administration.put_global_parameter("cluster_name", "mine", ALICE)
    assert administration.cluster_name == "mine"
    again = site.again()
    assert (again.administration.cluster_name, again.node.log) == ("mine", ["cluster name mine"])
    administration.delete_global_parameter("cluster_name", ALICE)
    assert site.node.log == ["cluster name mine", "cluster name "]


@pytest.mark.parametrize("name", [5, "", None])
def test_cluster_name_is_a_text(administration: Administration, name: object) -> None:
    with pytest.raises(Invalid):
        administration.put_global_parameter("cluster_name", name, ALICE)


def test_value_that_is_no_json_is_refused(administration: Administration) -> None:
    with pytest.raises(Invalid):
        administration.put_global_parameter("g", float("nan"), ALICE)
    assert administration.global_parameters == {}
