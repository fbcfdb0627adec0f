"""Which modules answer which path: the first segment below `/api`, and their names."""

import importlib
from typing import Final

from supersoniq.management.routes import Route

MODULES: Final = {
    "all-configuration": ("definitions",),
    "aliveness-test": ("health",),
    "auth": ("others",),
    "bindings": ("bindings",),
    "channels": ("channels",),
    "cluster-name": ("parameters",),
    "connections": ("connections",),
    "consumers": ("consumers",),
    "definitions": ("definitions",),
    "deprecated-features": ("others",),
    "diagnostics": ("diagnostics",),
    "docs": ("documentation",),
    "exchanges": ("exchanges", "bindings", "messages", "delayed"),
    "extensions": ("others",),
    "feature-flags": ("others",),
    "global-parameters": ("parameters",),
    "health": ("health",),
    "healthchecks": ("health",),
    "jobs": ("jobs",),
    "login": ("others",),
    "node": ("node_control",),
    "nodes": ("nodes",),
    "openapi.json": ("documentation",),
    "operator-policies": ("policies",),
    "overview": ("overview",),
    "parameters": ("parameters",),
    "permissions": ("permissions",),
    "policies": ("policies",),
    "queues": ("queues", "bindings", "messages", "browsing", "redriving", "changing"),
    "rebalance": ("others",),
    "reset": ("others",),
    "topic-permissions": ("permissions",),
    "user-limits": ("limits",),
    "users": ("users", "permissions"),
    "version": ("overview",),
    "vhost-limits": ("limits",),
    "vhosts": ("vhosts", "permissions", "connections", "channels"),
    "whoami": ("whoami",),
}


def routes_below(first: str) -> list[Route]:
    """Return the routes whose paths begin with a segment."""
    modules = [importlib.import_module(f"supersoniq.management.resources.{name}") for name in MODULES[first]]
    return [route for module in modules for route in module.ROUTES if route.path.split("/")[1] == first]
