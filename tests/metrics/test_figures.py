"""What the operating system says of this process."""

import socket
import sys
import threading
from pathlib import Path

import pytest

from supersoniq.metrics.figures import (
    SAMPLED,
    Figures,
    collections,
    descriptors_max,
    free_bytes,
    open_descriptors,
    threads,
)


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell")
def test_open_descriptors_are_counted() -> None:
    before = open_descriptors()
    pairs = [socket.socketpair() for _ in range(5)]
    assert open_descriptors() == before + 10
    for pair in pairs:
        pair[0].close()
        pair[1].close()
    assert open_descriptors() == before


def test_limits_are_above_what_is_used() -> None:
    assert descriptors_max() == 0 or descriptors_max() > open_descriptors()


def test_free_space_is_unknown_where_there_is_no_directory(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) > 0
    assert free_bytes(None) == free_bytes(tmp_path / "missing") == 0


def test_threads_are_counted() -> None:
    before, end = threads(), threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    assert threads() == before + 1
    end.set()
    thread.join()


def test_collections_are_counted() -> None:
    import gc

    before = collections()
    gc.collect()
    assert collections() > before


def test_sampled_figures_stand_in_the_order_of_their_names() -> None:
    figures = Figures(mem_used=1, disk_free=2, io_sync_count=9)
    values = dict(zip(SAMPLED, figures.sampled(), strict=True))
    assert (values["mem_used"], values["disk_free"], values["io_sync_count"]) == (1, 2, 9)
