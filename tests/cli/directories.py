"""Data directories for the tests of commands."""

from pathlib import Path

from tests.storage.simulated_disk import SimulatedDisk
from tests.storage.tools.stores import on_disk, small_store


def directory(home: Path, disk: SimulatedDisk | None = None) -> Path:
    """A small data directory, of a node that was stopped."""
    path = home / "data"
    path.mkdir()
    on_disk(small_store() if disk is None else disk, path)
    return path


def damage(path: Path, found: bytes, instead: bytes) -> None:
    """Change some octets of a file."""
    data = path.read_bytes()
    assert found in data
    path.write_bytes(data.replace(found, instead, 1))
