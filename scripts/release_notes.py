"""The notes of a version: what CHANGELOG.md says of it, if it keeps its form."""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECTIONS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
UNRELEASED = "Unreleased"


class ChangelogError(Exception):
    """CHANGELOG.md, or what is asked of it, is not as it must be; one line."""


def versions(changelog: str) -> dict[str, str]:
    """The text below each `## 1.2.3 - 2026-11-27` and `## Unreleased`, in their order.

    Raises ChangelogError for a heading of another form, and for versions that do not descend.
    """
    found: dict[str, str] = {}
    parts = re.split(r"^## +(.+)$", changelog, flags=re.MULTILINE)
    for heading, text in zip(parts[1::2], parts[2::2], strict=True):
        match = re.fullmatch(r"(\d+\.\d+\.\d+) - \d{4}-\d\d-\d\d", heading)
        if heading != UNRELEASED and match is None:
            raise ChangelogError(f"## {heading}: expected `## Unreleased` or `## 1.2.3 - 2026-11-27`")
        found[match[1] if match else heading] = text.strip()
    if not found or next(iter(found)) != UNRELEASED:
        raise ChangelogError("the first section is to be `## Unreleased`, empty or not")
    numbers = [tuple(map(int, name.split("."))) for name in found if name != UNRELEASED]
    if numbers != sorted(numbers, reverse=True):
        raise ChangelogError("the newest version is to be the first one")
    return found


def check(text: str) -> None:
    """Raise ChangelogError unless the text is entries below headings of Keep a Changelog, each once."""
    parts = re.split(r"^### +(.+)$", text, flags=re.MULTILINE)
    if parts[0].strip():
        raise ChangelogError(f"text before the first heading: {parts[0].strip()[:60]}")
    headings = parts[1::2]
    if unknown := [heading for heading in headings if heading not in SECTIONS]:
        raise ChangelogError(f"### {unknown[0]}: expected one of {', '.join(SECTIONS)}")
    if headings != sorted(set(headings), key=SECTIONS.index):
        raise ChangelogError(f"each heading once, in the order {', '.join(SECTIONS)}")
    for heading, entries in zip(headings, parts[2::2], strict=True):
        for line in entries.strip("\n").splitlines():
            if not line.startswith(("- ", "  ")):
                raise ChangelogError(f"### {heading}: an entry begins with `- `: {line[:60]}")


def notes(changelog: str, version: str, packaged: str) -> str:
    """What is published with `version`. Raises ChangelogError if there is nothing."""
    if version != packaged:
        raise ChangelogError(f"pyproject.toml has version {packaged}, asked for are the notes of {version}")
    text = versions(changelog).get(version, "")
    if not text:
        raise ChangelogError(f"CHANGELOG.md has nothing of {version}: rename Unreleased, and begin a new one")
    check(text)
    return text


def released(changelog: str, version: str, date: str) -> str:
    """The changelog in which what was unreleased is `version`, below an empty Unreleased."""
    if not versions(changelog)[UNRELEASED]:
        raise ChangelogError("nothing is unreleased")
    if version in versions(changelog):
        raise ChangelogError(f"{version} is released already")
    return changelog.replace(f"## {UNRELEASED}\n", f"## {UNRELEASED}\n\n## {version} - {date}\n", 1)


def main(arguments: list[str]) -> None:
    """With a version print its notes; with a version and a date give that name to Unreleased."""
    path = ROOT / "CHANGELOG.md"
    changelog = path.read_text(encoding="utf-8")
    packaged = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    try:
        if len(arguments) == 1:
            print(notes(changelog, arguments[0], packaged))
        elif len(arguments) == 2:
            path.write_text(released(changelog, *arguments), encoding="utf-8")
        else:
            raise ChangelogError("expected VERSION or VERSION DATE")
    except ChangelogError as error:
        sys.exit(f"release notes: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
