"""Bodies: what is asked of an object, and what is said of what it is not."""

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message
from tests.management.api import Api

from supersoniq.amqp.tables import plain
from supersoniq.management.bodies import BODY_BYTES_MAX, Body, as_table, read_octets
from supersoniq.management.errors import ApiError


def reason_of(call: Any) -> object:
    with pytest.raises(ApiError) as raised:
        call()
    assert raised.value.status == 400
    return raised.value.reason


def test_missing_keys_are_named_as_erlang_writes_them() -> None:
    body = Body({"b": 1})
    assert reason_of(lambda: body.require("a", "b", "c")) == "[{key_missing,a},{key_missing,c}]"
    names = ["properties", "payload", "payload_encoding"]
    broken = ",\n ".join(f"{{key_missing,{name}}}" for name in names)
    assert reason_of(lambda: body.require(*names)) == f"[{broken}]"


def test_booleans_may_be_words() -> None:
    body = Body({"yes": True, "no": False, "true": "true", "false": "false", "one": 1})
    assert [body.boolean(name) for name in ("yes", "no", "true", "false", "missing")] == [
        True,
        False,
        True,
        False,
        False,
    ]
    assert reason_of(lambda: body.boolean("one")) == ["not_boolean", 1]


def test_integers_may_be_in_strings() -> None:
    body = Body({"a": 1, "b": "2", "c": "x", "d": True, "e": 1.5})
    assert (body.integer("a"), body.integer("b")) == (1, 2)
    for name in "cde":
        assert reason_of(lambda name=name: body.integer(name)) == ["not_integer", body.values[name]]


def test_names_have_255_octets_at_most() -> None:
    body = Body({"long": "é" * 128, "number": 5, "list": []})
    assert body.name("number") == b"5"
    assert reason_of(lambda: body.name("long")) == "long should be less than 255 bytes, actually was 256\n"
    assert reason_of(lambda: body.name("list")) == ["not_string", "list"]


def test_arguments_become_a_table() -> None:
    values = {"a": 1, "b": [1, "x", {"c": True}], "d": 1.5}
    assert plain(as_table(values)) == values
    assert Body({"arguments": []}).table("arguments") == {}


def deep(levels: int) -> dict[str, object]:
    value: dict[str, object] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"a": None}, "null_not_allowed"),
        ({"a": [{"b": None}]}, "null_not_allowed"),
        ({"a": 1 << 63}, ["not_64_bits", 1 << 63]),
        ({"a": "\ud800"}, "not_utf8"),
        ({"k" * 256: 1}, "key should be less than 255 bytes, actually was 256\n"),
        (deep(100), "too_deep"),
    ],
)
def test_what_a_table_cannot_hold_is_refused(values: dict[str, object], reason: object) -> None:
    assert reason_of(lambda: as_table(values)) == reason


def test_body_that_is_too_large_is_refused(api: Api) -> None:
    answer = api.ask("PUT", "/api/vhosts/large", b" " * (BODY_BYTES_MAX + 1))
    assert answer.status == 413
    assert answer.value["error"] == "bad_request"


def test_body_that_does_not_come_is_not_waited_for() -> None:
    async def receive() -> Message:
        await asyncio.sleep(60)
        raise AssertionError("was waited for")

    request = Request({"type": "http", "method": "PUT", "headers": []}, receive)
    with pytest.raises(ApiError) as caught:
        asyncio.run(read_octets(request, seconds=0.05))
    assert (caught.value.status, caught.value.headers) == (408, {"connection": "close"})
