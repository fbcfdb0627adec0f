"""`supersoniq ping` as a command."""

import re
import subprocess
from collections.abc import Callable

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_ping_prints_min_median_and_max(supersoniq: Run, broker_url: str) -> None:
    done = supersoniq("ping", broker_url, "--count", "3")
    assert done.returncode == 0, done.stderr
    found = re.fullmatch(
        r"127\.0\.0\.1:\d+: 3 round trips, min ([\d.]+) ms, median ([\d.]+) ms, max ([\d.]+) ms\n",
        done.stdout,
    )
    assert found, done.stdout
    low, middle, high = [float(text) for text in found.groups()]
    assert 0 < low <= middle <= high


def test_nobody_there_is_one_line_and_exit_code_1(supersoniq: Run, free_port: int) -> None:
    done = supersoniq("ping", f"amqp://127.0.0.1:{free_port}")
    assert done.returncode == 1
    assert done.stderr == f"supersoniq: cannot connect to 127.0.0.1:{free_port}: Connection refused\n"


def test_refused_login_says_why(supersoniq: Run, broker_url: str) -> None:
    done = supersoniq("ping", broker_url.replace("guest:guest", "guest:wrong"))
    assert done.returncode == 1
    assert done.stderr.startswith("supersoniq: 403 ACCESS_REFUSED")


@pytest.mark.parametrize("url", ["http://127.0.0.1", "127.0.0.1"])
def test_what_is_no_uri_is_exit_code_2(supersoniq: Run, url: str) -> None:
    done = supersoniq("ping", url)
    assert done.returncode == 2
    assert "is no AMQP URI" in done.stderr
