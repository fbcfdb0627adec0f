"""The schema of the audit log, as it is documented."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "audit-log.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)


def check(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record that is as the schema wants it, as JSON has it."""
    read: dict[str, Any] = json.loads(json.dumps(record))
    VALIDATOR.validate(read)
    return read


def lines(path: Path) -> list[dict[str, Any]]:
    """The records of a file, each as the schema wants it."""
    return [check(json.loads(line)) for line in path.read_text("utf-8").splitlines()]
