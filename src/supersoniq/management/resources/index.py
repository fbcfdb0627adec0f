"""Which module answers which path: the first segment below `/api`, and the module's name."""

from typing import Final

MODULES: Final = {
    "node": "node_control",
    "overview": "overview",
    "queues": "queues",
    "whoami": "whoami",
}
