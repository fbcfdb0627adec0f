"""What settings are made of: sizes, lists, tables and paths, as they stand in files and the environment."""

import ipaddress
import json
import os
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator

# Less than this and a queue would go to the disk for every few messages.
QUEUE_MEMORY_BYTES_MIN = 64 * 1024


LogLevel = Literal["debug", "info", "warning", "error", "critical"]

# As many digits as there are bytes to count: more would not fit into a float.
_SIZE = re.compile(r"(?P<number>\d{1,18}(\.\d{1,18})?)\s*(?P<unit>%|[kmgt]?i?b?)", re.IGNORECASE)
_UNIT_BYTES = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


def memory_bytes(limit: str, total_bytes: int) -> int:
    """The bytes that a `memory_limit` means on a machine with `total_bytes`; 0 is no limit.

    Accepts a share (`40%`), bytes (`1500000`) or a unit (`512MiB`, `2g`; all are powers of 1024).
    Raises ValueError for anything else.
    """
    match = _SIZE.fullmatch(limit.strip())
    if match is None:
        raise ValueError("expected a share of memory (40%), a size (2GiB), or 0 for no limit")
    if match["unit"] != "%":
        return _bytes_of(match)
    number = float(match["number"])
    if number > 100:
        raise ValueError("expected at most 100%")
    return int(total_bytes * number / 100)


def size_bytes(size: str) -> int:
    """The bytes that a setting such as `disk_free_limit` means: `1500000`, or with a unit `50MB`, `2g`.

    Raises ValueError for anything else.
    """
    match = _SIZE.fullmatch(size.strip())
    if match is None or match["unit"] == "%":
        raise ValueError("expected a size (50MB, 2GiB) or a number of bytes")
    return _bytes_of(match)


def _bytes_of(match: re.Match[str]) -> int:
    """All units are powers of 1024, with or without the `i`."""
    return int(float(match["number"]) * _UNIT_BYTES[match["unit"].lower().rstrip("ib")])


def _words(value: object) -> object:
    """A list from `a,b` or a JSON list; anything else as it came."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return _json(value)
    return [word.strip() for word in value.split(",") if word.strip()]


def _pairs(value: object) -> object:
    """A table from `name:value,name:value` or a JSON object; anything else as it came."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("{"):
        return _json(value)
    pairs = [pair.partition(":") for pair in value.split(",") if pair.strip()]
    if not all(colon for _, colon, _ in pairs):
        raise ValueError("expected name:value,name:value or a JSON object")
    return {name.strip(): text for name, _, text in pairs}


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"expected JSON: {error.msg} at column {error.colno}") from None


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _existing_directory(path: Path) -> Path:
    path = path.expanduser()
    if path.exists() and not path.is_dir():
        raise ValueError("expected a directory, found a file")
    return path


def _existing_file(path: Path) -> Path:
    path = path.expanduser()
    if not path.is_file():
        raise ValueError("expected a file, found " + ("something else" if path.exists() else "nothing"))
    return path


def _written(value: object) -> object:
    """A size as text, also where TOML has a number; anything else as it came."""
    return str(value) if isinstance(value, int) else value


def _memory_limit(limit: str) -> str:
    memory_bytes(limit, 0)
    return limit


def _size(size: str) -> str:
    size_bytes(size)
    return size


def _switch(value: object) -> object:
    """`on` and `off`, where a file says true and false."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return {"true": "on", "false": "off"}.get(text := str(value).lower(), text)


def _file_or_switch(value: object) -> object:
    """`on`, `off`, or the path of a file."""
    switch = _switch(value)
    return switch if switch in ("on", "off") else os.path.expanduser(str(value))


def _queue_memory(size: str) -> str:
    if size_bytes(size) < QUEUE_MEMORY_BYTES_MIN:
        raise ValueError(f"expected at least {QUEUE_MEMORY_BYTES_MIN >> 10}KiB")
    return size


def _bytes(value: object) -> object:
    """The number that a size means; anything else as it came."""
    return size_bytes(value) if isinstance(value, str) else value


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise ValueError("expected addresses or networks: 10.0.0.1, 10.0.0.0/8, ::1") from None


Listed = BeforeValidator(_words)
Words = Annotated[list[str], Listed]
Networks = Annotated[list[Annotated[str, AfterValidator(_network)]], Listed]
Level = Annotated[LogLevel, BeforeValidator(_lower)]
Lower = BeforeValidator(_lower)
Switch = BeforeValidator(_switch)
FileOrSwitch = Annotated[str, BeforeValidator(_file_or_switch)]
Pairs = BeforeValidator(_pairs)
ExistingFile = Annotated[Path, AfterValidator(_existing_file)]
ExistingDirectory = Annotated[Path, AfterValidator(_existing_directory)]
MemoryLimit = Annotated[str, BeforeValidator(_written), AfterValidator(_memory_limit)]
QueueMemory = Annotated[str, BeforeValidator(_written), AfterValidator(_queue_memory)]
Size = Annotated[str, BeforeValidator(_written), AfterValidator(_size)]
Bytes = Annotated[int, BeforeValidator(_bytes)]
