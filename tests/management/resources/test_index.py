"""The index: every route is found by the first segment of its path."""

from pathlib import Path

from supersoniq.management import resources
from supersoniq.management.resources.index import MODULES, routes_below


def test_every_segment_leads_to_routes() -> None:
    for first in MODULES:
        assert routes_below(first), first


def test_every_module_is_in_the_index() -> None:
    folder = Path(str(resources.__file__)).parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "index"}
    assert {name for names in MODULES.values() for name in names} == modules


def test_no_path_is_answered_twice() -> None:
    routes = [(route.method, route.path) for first in MODULES for route in routes_below(first)]
    assert len(routes) == len(set(routes))
