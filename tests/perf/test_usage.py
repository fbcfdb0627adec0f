"""CPU time and memory out of /proc."""

import os
import subprocess
import sys

import pytest

from supersoniq.perf.usage import broker_usage, own_cpu_seconds

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is no /proc")

BUSY = "import os, time\nwhile time.process_time() < 0.1: pass\nprint(flush=True); input()"


def test_cpu_time_of_children_is_in_it() -> None:
    before = broker_usage(os.getpid())
    with subprocess.Popen(
        [sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        after = broker_usage(os.getpid())
        child.communicate(b"\n")
    assert after.cpu_seconds - before.cpu_seconds >= 0.05  # each of four counters loses up to a tick of 10 ms
    assert after.rss_bytes > before.rss_bytes


def test_no_such_process_is_said() -> None:
    with pytest.raises(ValueError, match="no process 0"):
        broker_usage(0)


def test_own_time_grows() -> None:
    before = own_cpu_seconds()
    sum(range(100_000))
    assert own_cpu_seconds() > before
