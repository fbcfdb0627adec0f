"""`supersoniq config`: every value, its origin, and no password."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from supersoniq.config import Settings

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_table_shows_value_and_origin(supersoniq: Run, tmp_path: Path) -> None:
    (tmp_path / "supersoniq.toml").write_text("channel_max = 9\n[users]\nann = 's3cret'\n")
    result = supersoniq("config", "--log-level", "debug", env={"SUPERSONIQ_PORT": "1234"})
    assert result.returncode == 0, result.stderr
    rows = {words[0]: words[1:] for line in result.stdout.splitlines() if (words := line.split())}
    assert rows["port"][:2] == ["1234", "SUPERSONIQ_PORT"]
    assert rows["channel_max"][:2] == ["9", "supersoniq.toml"]
    assert rows["log_level"][:2] == ["debug", "--log-level"]
    assert rows["heartbeat_seconds"][:2] == ["60", "default"]
    assert rows.keys() == {"setting", *Settings.model_fields}
    assert "s3cret" not in result.stdout


def test_json_has_the_same(supersoniq: Run) -> None:
    result = supersoniq(
        "config", "--json", env={"SUPERSONIQ_USERS": "ann:s3cret", "XDG_STATE_HOME": "/state"}
    )
    shown = json.loads(result.stdout)
    assert shown["port"] == {"value": 5672, "origin": "default"}
    assert shown["data_dir"] == {"value": "/state/supersoniq", "origin": "default"}
    assert shown["users"] == {"value": {"ann": "**********"}, "origin": "SUPERSONIQ_USERS"}


def test_wrong_value_is_exit_code_2(supersoniq: Run) -> None:
    result = supersoniq("config", env={"SUPERSONIQ_PORT": "-1"})
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("supersoniq: port = -1 (SUPERSONIQ_PORT): expected ")


def test_what_rabbitmq_was_told_is_shown_with_its_place(supersoniq: Run, tmp_path: Path) -> None:
    conf = tmp_path / "rabbitmq.conf"
    conf.write_text("heartbeat = 7\nhipe_compile = true\n")
    result = supersoniq("config", "--json", "--rabbitmq-conf", str(conf))
    shown = json.loads(result.stdout)
    assert shown["heartbeat_seconds"] == {"value": 7, "origin": f"{conf}:1"}
    assert shown["rabbitmq_conf"] == {"value": str(conf), "origin": "--rabbitmq-conf"}
    assert result.stderr == f"{conf}:2: hipe_compile is not honoured: it has no meaning here\n"
