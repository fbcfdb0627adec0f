"""Reply codes, their names, and what each closes."""

import inspect

import pytest

from supersoniq.amqp import errors
from supersoniq.amqp.errors import (
    UNSET,
    AMQPError,
    ChannelException,
    ConnectionException,
    FrameError,
    NotFound,
)

CHANNEL = {
    311: "CONTENT_TOO_LARGE",
    313: "NO_CONSUMERS",
    403: "ACCESS_REFUSED",
    404: "NOT_FOUND",
    405: "RESOURCE_LOCKED",
    406: "PRECONDITION_FAILED",
}
CONNECTION = {
    320: "CONNECTION_FORCED",
    402: "INVALID_PATH",
    403: "ACCESS_REFUSED",
    501: "FRAME_ERROR",
    502: "SYNTAX_ERROR",
    503: "COMMAND_INVALID",
    504: "CHANNEL_ERROR",
    505: "UNEXPECTED_FRAME",
    506: "RESOURCE_ERROR",
    530: "NOT_ALLOWED",
    540: "NOT_IMPLEMENTED",
    541: "INTERNAL_ERROR",
}


def subclasses_of(base: type[AMQPError]) -> dict[int, str]:
    found = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, base)]
    return {each.reply_code: each.name for each in found if each is not base}


def test_channel_exceptions_have_the_codes_that_close_a_channel() -> None:
    assert subclasses_of(ChannelException) == CHANNEL


def test_connection_exceptions_have_the_codes_that_close_a_connection() -> None:
    assert subclasses_of(ConnectionException) == CONNECTION


def test_reply_text_begins_with_the_name_of_the_code() -> None:
    assert NotFound("no queue 'x' in vhost '/'").reply_text == "NOT_FOUND - no queue 'x' in vhost '/'"


def test_method_is_unset_unless_the_exception_names_one() -> None:
    error = FrameError("no frame", 60, 40)
    assert (error.class_id, error.method_id) == (60, 40)
    assert (NotFound("no").class_id, NotFound("no").method_id) == (UNSET, UNSET)


@pytest.mark.parametrize("code", sorted(CONNECTION))
def test_no_code_but_403_closes_both(code: int) -> None:
    assert code == 403 or code not in CHANNEL
