"""The audit log of a running node: who did what, without a secret, whatever becomes of the file."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker, ProbableAuthenticationError
from tests.audit.schema import lines
from tests.conftest import Process
from tests.management.api import Api

from supersoniq import Broker

Serve = Callable[..., Process]
SECONDS = 30


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_logins_refusals_and_changes_are_there_and_no_password(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "audit.log"
    with Broker(data_dir=tmp_path, audit_log="on", management="on") as broker:
        _log_in_and_be_refused(pika.URLParameters(broker.url), Api(broker.api_url, "guest", "hunter2"))
    records = [record for record in lines(path) if record["user"] != "rmq-internal"]
    shown = [(record["event"], record["outcome"], record["object"]) for record in records]
    assert shown[:4] == [
        ("user.authentication.success", "success", {"kind": "user", "name": "guest"}),
        ("queue.created", "done", {"kind": "queue", "name": "orders"}),
        ("access.refused", "refused", None),
        ("queue.deleted", "done", {"kind": "queue", "name": "orders"}),
    ]
    assert shown[4][0] == "queue.created"  # by the user; that it went with its connection is not
    assert shown[5:] == [
        ("user.authentication.failure", "failure", {"kind": "user", "name": "guest"}),
        ("access.refused", "refused", None),
    ]
    by_client = records[:4]
    assert len({(record["address"], record["connection"]) for record in by_client}) == 1
    assert by_client[2]["detail"]["reply_code"] == 403
    assert records[6]["detail"]["reply_code"] == 401
    assert "hunter2" not in path.read_text("utf-8") + caplog.text
    verified = subprocess.run(
        [sys.executable, "-m", "supersoniq", "verify", str(tmp_path)],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert verified.returncode == 0, verified.stdout + verified.stderr


def _log_in_and_be_refused(parameters: pika.URLParameters, wrong: Api) -> None:
    with pika.BlockingConnection(parameters) as connection:
        connection.channel().queue_declare("orders", durable=True)
        with pytest.raises(ChannelClosedByBroker):
            connection.channel().queue_declare("amq.mine")
        connection.channel().queue_delete("orders")
        connection.channel().queue_declare("", exclusive=True)
    parameters.credentials = pika.PlainCredentials("guest", "hunter2")
    with pytest.raises(ProbableAuthenticationError):
        pika.BlockingConnection(parameters)
    assert wrong.ask("GET", "/api/whoami").status == 401


def test_node_goes_on_when_the_file_is_moved_away_and_when_it_cannot_be_written(serve: Serve) -> None:
    process = serve(env={"SUPERSONIQ_AUDIT_LOG": "on"})
    path = Path(process.data_dir) / "audit.log"
    with pika.BlockingConnection(pika.URLParameters(process.url)) as connection:
        channel = connection.channel()
        channel.queue_declare("before", exclusive=True)
        wait_for(lambda: "before" in path.read_text("utf-8"))
        moved = path.rename(path.with_name("audit.log.moved"))
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: _has_declared(channel) and path.exists())
        anew = path.rename(path.with_name("audit.log.anew"))
        path.mkdir()
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: _has_declared(channel) and "cannot be written" in process.log)
        channel.queue_declare("q")
        channel.basic_publish("", "q", b"body")
        assert channel.basic_get("q", auto_ack=True)[2] == b"body"
    assert process.stop() == 0
    assert "before" in moved.read_text("utf-8")
    assert "before" not in anew.read_text("utf-8")
    assert lines(moved)
    assert lines(anew)


def _has_declared(channel: BlockingChannel) -> bool:
    """Do something that is written down."""
    channel.queue_declare("", exclusive=True)
    return True
