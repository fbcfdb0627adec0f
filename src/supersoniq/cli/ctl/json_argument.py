"""An argument that has to be JSON."""

import json
from typing import Any

from supersoniq.cli.ctl.context import UNAVAILABLE, Ctl


def json_argument(ctl: Ctl, text: str) -> Any:
    """The JSON that an argument is; ends with rabbitmqctl's error if it is none."""
    try:
        return json.loads(text)
    except ValueError:
        ctl.fail("JSON decoding error. Reason: badarg", UNAVAILABLE)


def json_object(ctl: Ctl, text: str) -> dict[str, Any]:
    """The JSON object that an argument is; ends with an error if it is none."""
    value = json_argument(ctl, text)
    if not isinstance(value, dict):
        ctl.fail(f"expected a JSON object, not {text}", UNAVAILABLE)
    return value
