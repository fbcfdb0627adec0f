"""Differences of definitions."""

from typing import Any

import pytest

from supersoniq.cli.remote.differing import Difference, differences

POLICY = {"vhost": "/", "name": "p", "pattern": ".*", "definition": {"expires": 1}, "priority": 0}
BINDING = {"vhost": "/", "source": "x", "destination": "q", "destination_type": "queue", "routing_key": "k"}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {}, []),
        ({"queues": [{"name": "q", "vhost": "/"}]}, {"queues": [{"name": "q", "vhost": "/"}]}, []),
        ({}, {"queues": [{"name": "q", "vhost": "/"}]}, [Difference("added", "queue", "q in /")]),
        ({"vhosts": [{"name": "v"}]}, {}, [Difference("removed", "vhost", "v")]),
        (
            {"policies": [POLICY]},
            {"policies": [POLICY | {"priority": 2, "definition": {"expires": 5}}]},
            [
                Difference(
                    "changed",
                    "policy",
                    "p in /",
                    'definition {"expires": 1} → {"expires": 5}, priority 0 → 2',
                )
            ],
        ),
        (
            {"users": [{"name": "a", "tags": ["x", "y"], "password_hash": "1", "limits": {}}]},
            {"users": [{"name": "a", "tags": "x,y", "password_hash": "2"}]},
            [Difference("changed", "user", "a", "password_hash changed")],
        ),
        (
            {"bindings": [BINDING]},
            {"bindings": [BINDING | {"arguments": {"a": 1}}]},
            [
                Difference("added", "binding", "x → queue q with 'k' {\"a\": 1} in /"),
                Difference("removed", "binding", "x → queue q with 'k' in /"),
            ],
        ),
        ({"queues": "nonsense"}, {"queues": [1]}, []),
        (
            {"queues": [{"name": "q", "vhost": "/", "arguments": {}}]},
            {"queues": [{"name": "q", "vhost": "/", "arguments": None, "type": ""}]},
            [],
        ),
    ],
)
def test_difference_is_what_an_import_would_do(
    before: dict[str, Any], after: dict[str, Any], expected: list[Difference]
) -> None:
    assert differences(before, after) == expected
