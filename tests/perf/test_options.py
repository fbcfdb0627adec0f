"""What a load may be made of."""

from typing import Any

import pytest

from supersoniq.perf.options import LoadOptions


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"url": "http://x"}, "is no AMQP URI"),
        ({"size": -1}, "size is -1: it must be 0 to"),
        ({"queues": 0}, "queues is 0: it must be 1 to 100000"),
        ({"priorities": 256}, "priorities is 256: it must be 0 to 255"),
        ({"prefetch": 65536}, "prefetch is 65536"),
        ({"confirm_window": -1}, "confirm-window is -1"),
        ({"rate": float("nan")}, "rate is nan"),
        ({"duration": 1e9}, "duration is 1e"),
        ({"producers": 0, "consumers": 0}, "neither producers nor consumers"),
        ({"producers": 0}, "without producers"),
        ({"consumers": 0}, "without consumers there must be a count"),
        ({"preload": 1}, "say producers 0"),
        ({"producers": 0, "consumers": 0, "preload": 1}, "neither"),
        ({"ack_every": 100, "prefetch": 99}, "never comes"),
        ({"prefetch": 10}, "needs ack-every"),
        ({"stamped": True, "size": 7}, "8 or more"),
        ({"until_confirm": True, "stamped": True}, "needs a confirm-window"),
        ({"fanout": 2, "existing": ("q",)}, "does not go with existing ones"),
    ],
)
def test_contradiction_is_refused_in_words(values: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        LoadOptions(**values)
    assert text in str(raised.value)


def test_backlog_is_limited_unless_nobody_consumes() -> None:
    assert LoadOptions().backlog_max == 10_000
    assert LoadOptions(size=65536).backlog_max == 256
    assert LoadOptions(fanout=10).backlog_max == 100_000
    assert LoadOptions(fanout=10, backlog=7).backlog_max == 70
    assert LoadOptions(size=100 << 20, producers=5).backlog_max == 20
    assert LoadOptions(consumers=0, count=1).backlog_max == 0


def test_nobody_consumes_for_a_time() -> None:
    assert LoadOptions(consumers=0, duration=2).seconds_max == 2


def test_every_run_ends() -> None:
    assert LoadOptions().seconds_max == 10
    assert LoadOptions(count=1).seconds_max == 300
    assert LoadOptions(count=1, duration=2).seconds_max == 2


def test_queues_are_those_of_the_fanout_or_those_that_exist() -> None:
    assert LoadOptions(queues=3).queue_count == 3
    assert LoadOptions(fanout=4).queue_count == 4
    assert LoadOptions(existing=("a", "b")).queue_count == 2
