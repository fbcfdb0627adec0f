"""The audit log is where the settings say, or the node does not start."""

from pathlib import Path

import pytest
from tests.audit.schema import lines

from supersoniq.assembly.auditing import open_audit
from supersoniq.config import ConfigError, Settings


def opened(**settings: object) -> None:
    audit = open_audit(Settings(**settings), lambda: 1)  # type: ignore[arg-type]
    assert audit is not None
    audit.start()
    audit.emit("user.created", {"name": "ann"})
    audit.stop()


def test_there_is_none_unless_it_is_asked_for(tmp_path: Path) -> None:
    assert open_audit(Settings(data_dir=tmp_path), lambda: 1) is None


def test_it_is_in_the_data_directory(tmp_path: Path) -> None:
    opened(audit_log="on", data_dir=tmp_path)
    assert len(lines(tmp_path / "audit.log")) == 1


def test_it_is_in_the_file_that_was_named(tmp_path: Path) -> None:
    opened(audit_log=str(tmp_path / "who.log"))
    assert len(lines(tmp_path / "who.log")) == 1


def test_without_a_data_directory_a_file_has_to_be_named() -> None:
    with pytest.raises(ConfigError, match="audit_log = on needs a data directory"):
        opened(audit_log="on")


def test_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "audit.log"
    with pytest.raises(ConfigError, match=f"audit_log {path} cannot be written: No such file"):
        opened(audit_log=str(path))
