"""The changelog keeps its form, and the notes of a version are what stands there."""

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
_spec = importlib.util.spec_from_file_location("release_notes", ROOT / "scripts" / "release_notes.py")
assert _spec is not None
assert _spec.loader is not None
release_notes = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(release_notes)

CHANGELOG = """# Changelog

## Unreleased

### Added

- A door
  with a handle.

### Fixed

- The roof.

## 0.2.0 - 2026-02-03

### Added

- A house.

## 0.1.0 - 2026-01-02

### Added

- Ground.
"""


def test_changelog_of_the_project_keeps_its_form() -> None:
    for text in release_notes.versions((ROOT / "CHANGELOG.md").read_text(encoding="utf-8")).values():
        release_notes.check(text)


def test_version_is_in_one_place() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    files = [*(ROOT / "src").rglob("*.py"), ROOT / "setup.py", ROOT / "Dockerfile", ROOT / "compose.yaml"]
    assert [file for file in files if f'"{version}"' in file.read_text(encoding="utf-8")] == []


def test_notes_are_what_stands_below_the_version() -> None:
    assert release_notes.notes(CHANGELOG, "0.2.0", "0.2.0") == "### Added\n\n- A house."


def test_unreleased_becomes_a_version() -> None:
    changelog = release_notes.released(CHANGELOG, "0.3.0", "2026-03-04")
    assert release_notes.versions(changelog)["Unreleased"] == ""
    assert "- The roof." in release_notes.notes(changelog, "0.3.0", "0.3.0")
    assert release_notes.notes(changelog, "0.1.0", "0.1.0") == "### Added\n\n- Ground."


@pytest.mark.parametrize(
    ("version", "packaged", "reason"),
    [
        ("0.2.0", "0.3.0", "pyproject.toml has version 0.3.0"),
        ("0.3.0", "0.3.0", "has nothing of 0.3.0"),
    ],
)
def test_notes_that_must_not_be_published(version: str, packaged: str, reason: str) -> None:
    with pytest.raises(release_notes.ChangelogError, match=reason):
        release_notes.notes(CHANGELOG, version, packaged)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("## 0.2.0 - 2026-02-03", "## 0.2.0", "expected `## Unreleased` or"),
        ("## 0.2.0 - 2026-02-03", "## 0.0.2 - 2026-02-03", "newest version"),
        ("## Unreleased\n", "## 0.3.0 - 2026-03-04\n", "first section"),
    ],
)
def test_headings_that_are_wrong(old: str, new: str, reason: str) -> None:
    with pytest.raises(release_notes.ChangelogError, match=reason):
        release_notes.versions(CHANGELOG.replace(old, new))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("### New\n\n- x", "### New: expected one of"),
        ("### Fixed\n\n- x\n\n### Added\n\n- y", "in the order"),
        ("### Added\n\n- x\n\n### Added\n\n- y", "each heading once"),
        ("### Added\n\nx", "an entry begins with"),
        ("- x", "text before the first heading"),
    ],
)
def test_entries_that_are_wrong(text: str, reason: str) -> None:
    with pytest.raises(release_notes.ChangelogError, match=reason):
        release_notes.check(text)


def test_command_ends_with_one_line_and_exit_code_1() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "release_notes.py"), "99.0.0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("release notes: pyproject.toml has version")
