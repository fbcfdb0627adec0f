"""What README and docs show does what they say: Python as it stands, commands, and what those print."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docs.elsewhere import ELSEWHERE
from tests.docs.pages import ROOT, Block, blocks, pages
from tests.docs.sandbox import Sandbox

RUN = ("python", "sh", "console")
SHELL = ("sh", "console")
# Text in a page that is not run is a drawing, a log, or a file of another program.
SHOWN = ("json", "toml", "text", "ini", "yaml", "dockerfile", "csv", "xml", "promql")

Case = tuple[str, Block]
CASES: list[Case] = [
    (page.relative_to(ROOT).as_posix(), block)
    for page in pages()
    for block in blocks(page)
    if block.is_file or (block.language in RUN and not block.is_elsewhere)
]
MARKED = [block for page in pages() for block in blocks(page) if block.is_elsewhere]


@pytest.fixture(scope="module")
def sandbox(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One for each page, whose blocks follow each other in it; a page is not done while a terminal waits."""
    import os

    environ = {name: value for name, value in os.environ.items() if not name.startswith("SUPERSONIQ_")}
    box = Sandbox(tmp_path_factory.mktemp("page"), environ)
    try:
        box.prepare()
        yield box
    finally:
        missing = box.close()
    assert not missing, "\n".join(missing)


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("sandbox", "block"),
    [pytest.param(page, block, id=block.name) for page, block in CASES],
    indirect=["sandbox"],
    scope="module",
)
def test_page_does_what_it_shows(sandbox: Sandbox, block: Block) -> None:
    if block.is_file:
        sandbox.write(block)
    elif block.language == "python":
        source = sandbox.here(block.text)
        words = [sys.executable, "-W", "error", "-c", source]
        done = subprocess.run(
            words, cwd=sandbox.directory, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
    elif block.is_terminal:
        sandbox.start(block)
    else:
        for command in block.commands:
            sandbox.run(command)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_scripts_of_a_page_are_run_by_it(page: Path) -> None:
    scripts = [block.title for block in blocks(page) if block.is_file]
    lines = [command.line for block in blocks(page) if block.language in SHELL for command in block.commands]
    idle = [title for title in scripts if not any(title in line for line in lines)]
    assert idle == []


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_fences_have_a_language_that_is_run_or_is_no_program(page: Path) -> None:
    other = [block.name for block in blocks(page) if block.language not in (*RUN, *SHOWN)]
    assert other == [], "commands are `sh` or `console`; what is only looked at is `text`"


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_commands_stand_in_blocks_that_are_run(page: Path) -> None:
    typed = [
        block.name
        for block in blocks(page)
        if block.language == "text" and re.search(r"^\$ ", block.text, re.M)
    ]
    assert typed == [], "write it as `console`"


@pytest.mark.parametrize("block", [pytest.param(block, id=block.name) for block in MARKED])
def test_command_that_is_not_run_here_is_run_elsewhere(block: Block) -> None:
    lines = (
        [command.line for command in block.commands] if block.language in SHELL else [f"file {block.title}"]
    )
    unknown = [line for line in lines if not any(line.startswith(known) for known in ELSEWHERE)]
    assert unknown == [], "say in tests/docs/elsewhere.py which test runs it"


@pytest.mark.parametrize("command", ELSEWHERE)
def test_evidence_is_there(command: str) -> None:
    file, words = ELSEWHERE[command]
    assert words in (ROOT / file).read_text(encoding="utf-8")


def test_every_evidence_is_needed() -> None:
    lines = [command.line for block in MARKED if block.language in SHELL for command in block.commands]
    lines += [f"file {block.title}" for block in MARKED if block.language not in SHELL]
    assert [known for known in ELSEWHERE if not any(line.startswith(known) for line in lines)] == []
