"""Hooks of mkdocs: what is generated is put in, and files outside docs/ that pages link to come along."""

import re
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
sys.path.insert(0, str(Path(__file__).parent))
from generated import GENERATORS  # noqa: E402  (mkdocs loads this file by its path)

MARK = re.compile(r"^<!-- generated: ([a-z-]+) -->$", re.MULTILINE)
LINK = re.compile(r"\]\((?P<path>[^)\s#:]+)(?P<anchor>#[^)\s]*)?\)")
# What the tests are told about a block means nothing to a reader.
FOR_TESTS = re.compile(r"^( *```[a-z]+) elsewhere\b", re.MULTILINE)
BROUGHT = "project"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files of the repository that pages link to: Markdown as pages, others as they are."""
    waiting = [DOCS / file.src_uri for file in files.documentation_pages()]
    seen: set[Path] = set()
    while waiting:
        page = waiting.pop()
        for match in LINK.finditer(page.read_text(encoding="utf-8")):
            target = (page.parent / match["path"]).resolve()
            if _is_brought(target) and target not in seen:
                seen.add(target)
                uri = _uri(target)
                files.append(File.generated(config, uri, abs_src_path=str(target)))
                if target.suffix == ".md":
                    waiting.append(target)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put in what is generated, and turn links to the repository's files into links of the site."""
    source = Path(page.file.abs_src_path or "")
    markdown = MARK.sub(lambda match: GENERATORS[match[1]](), markdown)
    markdown = LINK.sub(lambda match: _link(match, source, page.file.src_uri), markdown)
    return FOR_TESTS.sub(r"\1", markdown)


def _link(match: re.Match[str], source: Path, uri: str) -> str:
    target = (source.parent / match["path"]).resolve()
    if not target.exists():
        return match[0]
    to = (
        _uri(target)
        if _is_brought(target)
        else target.relative_to(DOCS).as_posix()
        if target.is_file()
        else ""
    )
    if not to:
        return match[0]
    up = "../" * uri.count("/")
    return f"]({up}{to}{match['anchor'] or ''})"


def _is_brought(target: Path) -> bool:
    return target.is_file() and target.is_relative_to(ROOT) and not target.is_relative_to(DOCS)


def _uri(target: Path) -> str:
    """Where a file of the repository is in the site; its README must not be a folder's first page."""
    path = target.relative_to(ROOT).as_posix()
    return f"{BROUGHT}/{'about.md' if path == 'README.md' else path}"
