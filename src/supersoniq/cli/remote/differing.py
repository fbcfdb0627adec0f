"""What differs between two definitions: what only one of them has, and what is not the same in both."""

import json
from typing import Any, NamedTuple

# The fields that name an object of each kind.
KEYS = {
    "users": ("name",),
    "vhosts": ("name",),
    "permissions": ("user", "vhost"),
    "topic_permissions": ("user", "vhost", "exchange"),
    "parameters": ("component", "vhost", "name"),
    "global_parameters": ("name",),
    "policies": ("vhost", "name"),
    "queues": ("vhost", "name"),
    "exchanges": ("vhost", "name"),
    "bindings": ("vhost", "source", "destination_type", "destination", "routing_key", "arguments"),
}
SINGULAR = {"policies": "policy"}
# What a node knows better than a file, and what is nothing.
IGNORED = {"metadata", "hashing_algorithm"}
NOTHING: tuple[object, ...] = (None, "", [], {})


class Difference(NamedTuple):
    """One object of the two that is not the same."""

    change: str  # added, removed or changed, from the first to the second
    kind: str
    name: str
    detail: str = ""


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    """What has to happen to `before` to make it `after`, kind by kind."""
    found = []
    for kind, keys in KEYS.items():
        old, new = _by_name(before.get(kind), keys), _by_name(after.get(kind), keys)
        noun = SINGULAR.get(kind, kind.removesuffix("s").replace("_", " "))
        for name, item in new.items():
            if name not in old:
                found.append(Difference("added", noun, name))
            elif detail := _changes(old[name], item, keys):
                found.append(Difference("changed", noun, name, detail))
        found += [Difference("removed", noun, name) for name in old if name not in new]
    return found


def _by_name(items: Any, keys: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    if not isinstance(items, list):
        return {}
    return {_name(item, keys): item for item in items if isinstance(item, dict)}


def _name(item: dict[str, Any], keys: tuple[str, ...]) -> str:
    """How people call it: `orders in /`, or what a binding leads from and to."""
    if "destination" in keys:
        key = f"with '{item.get('routing_key', '')}' {_text(item.get('arguments') or {})}".removesuffix(" {}")
        kind = item.get("destination_type", "queue")
        return f"{item.get('source')} → {kind} {item.get('destination')} {key} in {item.get('vhost', '/')}"
    parts = [str(item.get(key, "")) for key in keys if key != "vhost"]
    return " ".join(parts) + (f" in {item.get('vhost')}" if "vhost" in keys and "vhost" in item else "")


def _changes(old: dict[str, Any], new: dict[str, Any], keys: tuple[str, ...]) -> str:
    """The fields that differ, as in `priority 1 → 2`."""
    changed = []
    for field, value in new.items():
        if field in keys or field in IGNORED:
            continue
        was, wanted = _normal(old.get(field)), _normal(value)
        if was != wanted and not (was in NOTHING and wanted in NOTHING):
            changed.append(
                f"{field} {'changed' if 'password' in field else f'{_text(was)} → {_text(wanted)}'}"
            )
    return ", ".join(changed)


def _normal(value: Any) -> Any:
    """Tags are a text in old files."""
    return [word.strip() for word in value.split(",")] if isinstance(value, str) and "," in value else value


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
