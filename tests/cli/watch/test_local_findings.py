"""What is found wrong with the configuration and the data directory."""

from pathlib import Path
from typing import Any

import pytest

from supersoniq.cli.watch.local_findings import configuration_findings, directory_findings, risky_settings
from supersoniq.config import Settings


def test_defaults_are_not_risky() -> None:
    assert risky_settings(Settings()) == []


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"sync": "never"}, "sync = never: a power cut loses confirmed messages"),
        ({"memory_limit": "0"}, "there is no memory limit"),
        ({"disk_free_limit": "0"}, "there is no limit of free disk space"),
    ],
)
def test_risky_setting_is_found(settings: dict[str, Any], text: str) -> None:
    assert [finding.what for finding in risky_settings(Settings(**settings))] == [text]


@pytest.mark.parametrize(
    ("environ", "has_old_password", "whats"),
    [
        (
            {"SUPERSONIQ_HOST": "0.0.0.0", "SUPERSONIQ_LOOPBACK_USERS": ""},
            True,
            ["guest/guest may log in from everywhere"],
        ),
        ({"SUPERSONIQ_HOST": "0.0.0.0", "SUPERSONIQ_LOOPBACK_USERS": ""}, False, []),
        ({"SUPERSONIQ_HOST": "0.0.0.0"}, True, []),
        ({"SUPERSONIQ_LOOPBACK_USERS": ""}, True, []),
    ],
)
def test_guest_is_a_risk_where_everybody_can_log_in(
    tmp_path: Path, environ: dict[str, str], has_old_password: bool, whats: list[str]
) -> None:
    found = configuration_findings(str(tmp_path), "", environ, lambda: has_old_password)
    assert [finding.what for finding in found] == whats


def test_configuration_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    environ = {"SUPERSONIQ_PORT": "x", "SUPERSONIQ_URL": "http://h"}
    found = configuration_findings(str(tmp_path), "", environ, lambda: False)
    assert [finding.level for finding in found] == ["error"]
    assert found[0].what.startswith("configuration: port = x (SUPERSONIQ_PORT): ")


def test_directory_that_others_can_read_is_found(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert [finding.level for finding in directory_findings(str(tmp_path))] == ["warning"]
    tmp_path.chmod(0o750)
    assert directory_findings(str(tmp_path)) == []
    assert directory_findings(str(tmp_path / "none"))[0].what.endswith("no such file or directory")
