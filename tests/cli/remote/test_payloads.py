"""Bodies of messages in JSON and in tables."""

import pytest

from supersoniq.cli.remote.payloads import body_of, encoded, message_columns, with_text


@pytest.mark.parametrize(
    ("body", "expected"),
    [(b"plain \xc3\xa4", ("plain ä", "string")), (b"\xff\x00", ("/wA=", "base64")), (b"", ("", "string"))],
)
def test_body_comes_back(body: bytes, expected: tuple[str, str]) -> None:
    payload, encoding = encoded(body)
    assert (payload, encoding) == expected
    assert body_of({"payload": payload, "payload_encoding": encoding}) == body


def test_table_shows_the_beginning_of_a_text() -> None:
    assert with_text({"payload": "x" * 500})["text"] == "x" * 200 + "…"
    assert with_text({"payload": "short"})["text"] == "short"


def test_table_says_how_long_other_bodies_are() -> None:
    assert with_text({"payload": "/wA=", "payload_encoding": "base64"})["text"] == "(2 bytes)"


def test_only_columns_that_say_something_are_shown() -> None:
    titles = [column.title for column in message_columns([{"routing_key": "k", "payload_bytes": 1}])]
    assert titles == ["routing key", "bytes", "body"]
