"""Log records: how they look and which are written."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from supersoniq import logs


@pytest.fixture(autouse=True)
def untouched_logging() -> Iterator[None]:
    """`setup` changes the process's logging; put it back."""
    root = logging.getLogger()
    handlers, level, own = root.handlers[:], root.level, logging.getLogger("supersoniq").level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("supersoniq").setLevel(own)
    for name in ("supersoniq.session", "other"):
        logging.getLogger(name).setLevel(logging.NOTSET)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_json_is_one_object_per_line() -> None:
    stream = io.StringIO()
    logs.setup(format="json", stream=stream)
    logger = logging.getLogger("supersoniq.server")
    logger.info("hello %s", "world", extra={"connection": 7})
    logger.warning("two\nlines")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first.pop("timestamp").endswith("Z")
    assert first == {"event": "hello world", "level": "info", "logger": "supersoniq.server", "connection": 7}
    assert second["event"] == "two\nlines"


def test_json_has_the_traceback() -> None:
    stream = io.StringIO()
    logs.setup(format="json", stream=stream)
    try:
        raise KeyError("gone")
    except KeyError:
        logging.getLogger("supersoniq").exception("failed")
    (line,) = stream.getvalue().splitlines()
    assert "KeyError: 'gone'" in json.loads(line)["exception"]


@pytest.mark.parametrize(("stream", "has_colour"), [(Terminal(), True), (io.StringIO(), False)])
def test_console_has_colours_on_a_terminal_only(stream: io.StringIO, has_colour: bool) -> None:
    logs.setup(format="console", stream=stream)
    logging.getLogger("supersoniq.node").info("hello", extra={"port": 1})
    assert ("\x1b[" in stream.getvalue()) is has_colour
    assert "hello" in stream.getvalue()
    assert "supersoniq.node" in stream.getvalue()


def test_console_does_not_repeat_what_the_text_says() -> None:
    stream = io.StringIO()
    logs.setup(format="console", stream=stream)
    extra = {"connection": "a -> b", "user": "ann", "vhost": "v", "channel": 1, "reply_code": 404, "other": 5}
    logging.getLogger("supersoniq.session").info("hello", extra=extra)
    assert "other=5" in stream.getvalue()
    assert "ann" not in stream.getvalue()


@pytest.mark.parametrize(("stream", "is_json"), [(Terminal(), False), (io.StringIO(), True)])
def test_auto_is_console_on_a_terminal_and_json_elsewhere(stream: io.StringIO, is_json: bool) -> None:
    logs.setup(format="auto", stream=stream)
    logging.getLogger("supersoniq").info("hello")
    assert stream.getvalue().startswith("{") is is_json


def test_level_is_per_logger() -> None:
    stream = io.StringIO()
    logs.setup("warning", "json", {"supersoniq.session": "debug", "other": "info"}, stream)
    for name in ("supersoniq.server", "supersoniq.session.channel", "other", "third"):
        logging.getLogger(name).debug("debug")
        logging.getLogger(name).info("info")
        logging.getLogger(name).warning("warning")
    written = [(line["logger"], line["event"]) for line in map(json.loads, stream.getvalue().splitlines())]
    assert written == [
        ("supersoniq.server", "warning"),
        ("supersoniq.session.channel", "debug"),
        ("supersoniq.session.channel", "info"),
        ("supersoniq.session.channel", "warning"),
        ("other", "info"),
        ("other", "warning"),
        ("third", "warning"),
    ]


def test_second_setup_replaces_the_first() -> None:
    first, second = io.StringIO(), io.StringIO()
    logs.setup(format="json", stream=first)
    logs.setup(format="json", stream=second)
    logging.getLogger("supersoniq").info("hello")
    assert (first.getvalue(), second.getvalue().count("\n")) == ("", 1)


def test_last_records_are_kept_for_who_asks() -> None:
    recent = logs.setup("info", "json", stream=io.StringIO())
    logger = logging.getLogger("supersoniq.test")
    for number in range(logs.RECENT_LINES + 5):
        logger.info("line %d", number)
    logger.debug("not written")
    try:
        raise ValueError("what went wrong")
    except ValueError:
        logger.exception("failed")
    lines = recent.lines(2)
    assert [line.partition("Z ")[2] for line in lines] == [
        f"[info] line {logs.RECENT_LINES + 4} [supersoniq.test]",
        "[error] failed: ValueError: what went wrong [supersoniq.test]",
    ]
    assert len(recent.lines(10_000)) == logs.RECENT_LINES
    assert recent.lines(0) == []
