"""What operators change about a running node."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from supersoniq import Broker
from supersoniq.assembly.controlling import RunningControl
from supersoniq.logs import RecentLog
from supersoniq.management.control import Uncontrolled


@pytest.fixture(autouse=True)
def level() -> Iterator[None]:
    """The level of our loggers is put back."""
    ours = logging.getLogger("supersoniq")
    before = ours.level
    yield
    ours.setLevel(before)


def on_a_node(do: Callable[[Broker, RunningControl], None], data_dir: Path | None = None) -> None:
    """Run `do` on the event loop of a broker."""

    async def run() -> None:
        async with Broker(data_dir=data_dir) as broker:
            control = broker.node.control
            assert control is not None
            do(broker, control)

    asyncio.run(run())


def test_limits_count_at_once(tmp_path: Path) -> None:
    def change(broker: Broker, control: RunningControl) -> None:
        alarm = broker.node.context.alarm
        for limit, is_on in (("0.0000001%", True), ("1000TiB", False), ("1", True), ("0", False)):
            control.set_memory_limit(limit)
            assert alarm.is_on == is_on, limit
        for limit, is_on in (("100000TiB", True), ("0", False)):
            control.set_disk_free_limit(limit)
            assert alarm.is_on == is_on, limit

    on_a_node(change, tmp_path)


def test_what_is_no_size_is_refused(tmp_path: Path) -> None:
    def change(broker: Broker, control: RunningControl) -> None:
        for setter in (control.set_memory_limit, control.set_disk_free_limit):
            with pytest.raises(ValueError, match="expected a s"):
                setter("bananas")
        with pytest.raises(ValueError, match="expected debug, info"):
            control.set_log_level("loud")

    on_a_node(change, tmp_path)


def test_node_inside_a_program_leaves_the_process_alone() -> None:
    def change(broker: Broker, control: RunningControl) -> None:
        for do in (
            control.stop,
            lambda: control.log_lines(1),
            lambda: control.set_log_level("debug"),
            lambda: control.set_disk_free_limit("1"),
        ):
            with pytest.raises(Uncontrolled):
                do()

    on_a_node(change)


def test_process_of_its_own_is_controlled(tmp_path: Path) -> None:
    def change(broker: Broker, control: RunningControl) -> None:
        stopped: list[bool] = []
        recent = RecentLog()
        recent.emit(logging.LogRecord("supersoniq.x", logging.INFO, "", 1, "hello", (), None))
        control.own_process(lambda: stopped.append(True), recent)
        assert control.log_lines(1)[0].endswith("[info] hello [supersoniq.x]")
        control.set_log_level("debug")
        assert logging.getLogger("supersoniq").level == logging.DEBUG
        control.stop()
        assert stopped == [True]

    on_a_node(change, tmp_path)
