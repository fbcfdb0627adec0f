"""The index: every module answers only paths that lead to it."""

import importlib

from supersoniq.management.resources.index import MODULES


def test_every_route_begins_with_a_segment_that_leads_to_its_module() -> None:
    for name in set(MODULES.values()):
        module = importlib.import_module(f"supersoniq.management.resources.{name}")
        for route in module.ROUTES:
            assert MODULES[route.path.split("/")[1]] == name, route.path
