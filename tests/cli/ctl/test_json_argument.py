"""Arguments that have to be JSON."""

import pytest

from supersoniq.cli.ctl.context import Ctl, CtlError
from supersoniq.cli.ctl.json_argument import json_argument, json_object
from supersoniq.cli.ctl.line import Line

CTL = Ctl("rabbitmqctl", Line("word", [], {}, []), {})


def test_json_is_read() -> None:
    assert json_argument(CTL, "[1]") == [1]
    assert json_object(CTL, '{"a": 1}') == {"a": 1}


def test_anything_else_is_rabbitmqs_error() -> None:
    with pytest.raises(CtlError, match=r"^Error:\nJSON decoding error\. Reason: badarg\n$") as raised:
        json_argument(CTL, "garbage")
    assert raised.value.exit_code == 69
    with pytest.raises(CtlError, match=r"expected a JSON object, not \[\]"):
        json_object(CTL, "[]")
