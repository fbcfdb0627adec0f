"""The pages of the documentation and the fenced blocks in them."""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
# A fence, its language, and what is said about it: `title="send.py"`, or the word `elsewhere`.
_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>[a-z]*)(?P<rest>[^\n]*)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    page: str
    line: int
    language: str
    title: str
    is_elsewhere: bool
    text: str

    @property
    def name(self) -> str:
        """For test ids and messages: `docs/queues.md:17`."""
        return f"{self.page}:{self.line}"

    @property
    def is_file(self) -> bool:
        """It is saved under its title, for the commands of the page."""
        return bool(self.title) and self.language not in ("sh", "console")

    @property
    def is_terminal(self) -> bool:
        """It goes on running while the reader does the rest of the page in another one."""
        return self.language == "console" and self.title.startswith("terminal")

    @property
    def commands(self) -> list["Command"]:
        """What is typed: the lines of `sh`, or those after a `$ ` in `console` with what they print."""
        if self.language == "console":
            return _dialogue(self.text)
        lines = self.text.replace("\\\n", " ").splitlines()
        typed = [re.sub(r"(^|\s+)#.*", "", line).strip() for line in lines]
        return [Command(" ".join(line.split()), ()) for line in typed if line]


@dataclass(frozen=True)
class Command:
    """A line for a shell, and the lines that it is shown to print; none if that is left open."""

    line: str
    output: tuple[str, ...]


def pages() -> list[Path]:
    """README, what else stands beside it, and everything below docs/."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in their order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            page=page.relative_to(ROOT).as_posix(),
            line=text.count("\n", 0, match.start()) + 1,
            language=match["language"],
            title=found[1] if (found := _TITLE.search(match["rest"])) else "",
            is_elsewhere="elsewhere" in _TITLE.sub("", match["rest"]).split(),
            text=textwrap.dedent(match["text"]),
        )
        for match in _FENCE.finditer(text)
    ]


def _dialogue(text: str) -> list[Command]:
    commands: list[Command] = []
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("$ "):
            commands.append(Command(" ".join(line[2:].split()), ()))
        elif line.strip():
            last = commands[-1]
            commands[-1] = Command(last.line, (*last.output, line.rstrip()))
    return commands
