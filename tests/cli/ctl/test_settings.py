"""rabbitmqctl's words that change the running node, or stop it."""

import os
from pathlib import Path

import pytest
from tests.cli.ctl.conftest import Ctl
from tests.cli.fake_node import Asked, FakeNode

from supersoniq.cli.ctl.running import run


@pytest.fixture(autouse=True)
def known(node: FakeNode) -> None:
    node.accepts("PUT", "node/settings")
    node.accepts("PUT", "cluster-name")
    node.get("nodes", [{"name": "rabbit@here", "os_pid": "77"}])


@pytest.mark.parametrize(
    ("tokens", "out", "body"),
    [
        (["set_cluster_name", "here"], "Setting cluster name to here ...\n", {"name": "here"}),
        (
            ["set_vm_memory_high_watermark", "0.4"],
            "Setting memory threshold on rabbit@here to 0.4 ...\n",
            {"memory_limit": "40.000000%"},
        ),
        (
            ["set_vm_memory_high_watermark", "0.0001", "-q"],
            "",
            {"memory_limit": "0.010000%"},
        ),
        (
            ["set_vm_memory_high_watermark", "absolute", "2GiB"],
            "Setting memory threshold on rabbit@here to 2GiB bytes ...\n",
            {"memory_limit": str(2 * 1024**3)},
        ),
        (
            ["set_disk_free_limit", "50MB"],
            "Setting disk free limit on rabbit@here to 50MB bytes ...\n",
            {"disk_free_limit": "50000000"},
        ),
        (["set_disk_free_limit", "1024", "-q"], "", {"disk_free_limit": "1024"}),
        (["set_log_level", "debug"], 'Setting log level to "debug" ...\n', {"log_level": "debug"}),
        (["set_log_level", "none", "-q"], "", {"log_level": "critical"}),
    ],
)
def test_node_is_changed(ctl: Ctl, node: FakeNode, tokens: list[str], out: str, body: dict[str, str]) -> None:
    assert ctl(*tokens) == (0, out, "")
    assert [sent for _, _, sent in node.changes()] == [body]


def test_limit_may_be_a_share_of_memory(ctl: Ctl, node: FakeNode) -> None:
    assert ctl("set_disk_free_limit", "mem_relative", "1.0").code == 0
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert node.changes()[0][2] == {"disk_free_limit": str(total)}


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [
        (["set_vm_memory_high_watermark", "2"], "The threshold should be a fraction between 0.0 and 1.0"),
        (
            ["set_vm_memory_high_watermark", "--", "-1"],
            "The threshold should be a fraction between 0.0 and 1.0",
        ),
        (["set_vm_memory_high_watermark", "x"], "The threshold should be an integer."),
        (["set_vm_memory_high_watermark", "absolute"], "not enough arguments."),
        (["set_vm_memory_high_watermark", "0.1", "0.2"], "too many arguments."),
        (["set_disk_free_limit", "5 bananas"], "Invalid units."),
        (["set_disk_free_limit", "mem_relative"], "not enough arguments."),
    ],
)
def test_wrong_limit_is_explained(tokens: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tokens, environ={"SUPERSONIQ_DATA_DIR": "/nosuch"}) == 64
    assert reason in capsys.readouterr().err


def test_unknown_level_lists_the_levels(ctl: Ctl) -> None:
    said = ctl("set_log_level", "loud")
    assert said.code == 64
    assert "level loud not supported. Allowed: debug, info, " in said.err


def test_node_without_these_resources_is_told(ctl: Ctl, node: FakeNode) -> None:
    del node.answers["PUT", "node/settings"]
    assert ctl("set_log_level", "info").code == 69
    assert ctl("stop").code == 69


@pytest.mark.parametrize(
    ("tokens", "lines"),
    [
        (["stop"], ["Stopping and halting node rabbit@here ..."]),
        (["stop", "/some/pidfile", "-q"], []),
        (
            ["shutdown"],
            [
                "Shutting down RabbitMQ node rabbit@here running at PID 77",
                "Waiting for PID 77 to terminate",
                "RabbitMQ node rabbit@here running at PID 77 successfully shut down",
            ],
        ),
    ],
)
def test_node_is_stopped_and_gone(ctl: Ctl, node: FakeNode, tokens: list[str], lines: list[str]) -> None:
    def stop(asked: Asked) -> tuple[int, object]:
        (node.directory / "control.sock").unlink()
        return 204, None

    node.answers["POST", "node/stop"] = stop
    said = ctl(*tokens)
    assert (said.code, said.out.splitlines(), said.err) == (0, lines, "")


def test_stop_of_a_stopped_node_is_an_error_unless_asked_otherwise(tmp_path: Path) -> None:
    assert run(["stop", "--data-dir", str(tmp_path / "no")], environ={}) == 69
    assert run(["stop", "--idempotent", "--data-dir", str(tmp_path / "no")], environ={}) == 0


def test_shutdown_need_not_wait(ctl: Ctl, node: FakeNode) -> None:
    node.accepts("POST", "node/stop")
    assert ctl("shutdown", "--no-wait").code == 0


@pytest.mark.parametrize(
    ("word", "code"), [("start_app", 0), ("stop_app", 69), ("rotate_logs", 0), ("force_gc", 0)]
)
def test_words_without_a_meaning_say_so(ctl: Ctl, word: str, code: int) -> None:
    assert ctl(word).code == code
