"""The figures of a running node."""

import os
from pathlib import Path

import pika
from tests.metrics.running import metering_of

from supersoniq import Broker


def test_running_node_knows_its_figures(tmp_path: Path) -> None:
    with Broker(data_dir=tmp_path, disk_free_limit="1MB", memory_limit="1GiB") as broker:
        connection = pika.BlockingConnection(pika.URLParameters(broker.url))
        channel = connection.channel()
        channel.queue_declare("q", durable=True)
        sources = metering_of(broker).sources
        figures = sources.figures()
        assert len(list(sources.connections())) == 1
        connection.close()
    assert figures.mem_used > 10_000_000
    assert (figures.mem_limit, figures.disk_free_limit) == (1024**3, 1024**2)
    assert figures.disk_free > 0
    assert figures.sockets_used == 1
    assert figures.io_write_count > 0
    assert figures.io_write_bytes > 0
    assert figures.io_sync_count > 0
    assert 0 < figures.io_sync_seconds < 60
    if os.path.exists("/proc/self/fd"):
        assert figures.fd_used > 3


def test_node_without_a_disk_has_written_nothing() -> None:
    with Broker() as broker:
        figures = metering_of(broker).sources.figures()
    assert (figures.io_write_bytes, figures.disk_free) == (0, 0)
