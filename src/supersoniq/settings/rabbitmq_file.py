"""The lines of rabbitmq.conf and of the files in conf.d: keys, values, and where each stands."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(r"(?P<key>[\w-]+(\.[\w-]+)*)\s*=\s*(?P<value>\S.*)")
_VARIABLE = re.compile(r"\$\((\w+)\)")


class RabbitMQConfError(Exception):
    """A file or a line is wrong. The text is one line that names both."""


@dataclass(frozen=True)
class Line:
    """One setting of RabbitMQ."""

    key: str
    value: str
    path: Path
    number: int

    @property
    def place(self) -> str:
        """Where it stands, as in `/etc/rabbitmq/rabbitmq.conf:7`."""
        return f"{self.path}:{self.number}"


def read_lines(path: Path, environ: Mapping[str, str]) -> list[Line]:
    """The settings in a file and in the `*.conf` of the directory `conf.d` beside it.

    Of two the later counts. `path` may be a directory of such files, too. `$(NAME)` in a value is a variable
    of `environ`. Raises RabbitMQConfError.
    """
    lines: dict[str, Line] = {}
    for each in _files(path):
        for line in _lines_of(each, environ):
            lines.pop(line.key, None)
            lines[line.key] = line
    return list(lines.values())


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(path.glob("*.conf"))
    if not path.is_file():
        raise RabbitMQConfError(
            f"rabbitmq_conf {path} {'is neither file nor directory' if path.exists() else 'does not exist'}"
        )
    return [path, *sorted((path.parent / "conf.d").glob("*.conf"))]


def _lines_of(path: Path, environ: Mapping[str, str]) -> Iterator[Line]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RabbitMQConfError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise RabbitMQConfError(f"{path} cannot be read: it is not UTF-8") from None
    for number, written in enumerate(text.splitlines(), 1):
        stripped = written.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if match is None or match["value"].startswith("#"):
            raise RabbitMQConfError(f"{path}:{number}: expected key = value")
        value = _with_variables(_value(match["value"]), environ, f"{path}:{number}")
        yield Line(match["key"], value, path, number)


def _value(text: str) -> str:
    """What counts of the text after `=`: up to a comment, or between single quotes."""
    quoted = re.match(r"'([^']*)'\s*(#.*)?$", text)
    return quoted[1] if quoted is not None else text.partition("#")[0].strip()


def _with_variables(value: str, environ: Mapping[str, str], place: str) -> str:
    for name in _VARIABLE.findall(value):
        if name not in environ:
            raise RabbitMQConfError(f"{place}: there is no variable {name} in the environment")
    return _VARIABLE.sub(lambda match: environ[match[1]], value)
