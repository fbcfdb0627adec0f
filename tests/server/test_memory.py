"""The numbers are those of this process and this machine."""

import mmap
import sys

import pytest

from supersoniq.server.memory import available_bytes, release_free_bytes, resident_bytes


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_process_occupies_what_it_has_touched() -> None:
    before = resident_bytes()
    with mmap.mmap(-1, 64 << 20) as ballast:  # not from what the process has and does not use
        ballast.write(b"x" * (64 << 20))
        assert resident_bytes() - before > 32 << 20


def test_process_fits_into_what_is_available() -> None:
    assert resident_bytes() < available_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_giving_memory_back_leaves_the_process_no_larger() -> None:
    ballast: list[bytes] = [bytes(1000) for _ in range(50_000)]
    ballast.clear()
    before = resident_bytes()
    release_free_bytes()
    assert resident_bytes() <= before + (1 << 20)
