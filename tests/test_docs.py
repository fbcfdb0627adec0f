"""The Python examples of README and docs run as they stand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DEFAULT_URL = "amqp://guest:guest@localhost:5672/"


def examples() -> list[tuple[str, str]]:
    """Each Python block of each page, with the page and its number."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [
        (f"{page.name}-{number}", block)
        for page in pages
        for number, block in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")), 1)
    ]


@pytest.mark.parametrize("block", [pytest.param(block, id=name) for name, block in examples()])
def test_example_runs(block: str, broker_url: str) -> None:
    """A page's default URL stands for the broker that its reader has started."""
    source = block.replace(DEFAULT_URL, broker_url)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", source], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr


def test_pages_link_to_files_that_are_there() -> None:
    missing = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert missing == []
