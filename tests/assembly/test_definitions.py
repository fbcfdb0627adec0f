"""The file of definitions that a node loads at its start."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.control.site import Site

from supersoniq.assembly.definitions import DefinitionsFile
from supersoniq.auth.passwords import SHA256, hash_password
from supersoniq.config import ConfigError

ANN = {"name": "ann", "password_hash": hash_password(b"x", SHA256).encoded, "tags": "administrator"}
PERMISSION = {"user": "ann", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}


def file_of(tmp_path: Path, **parts: Any) -> DefinitionsFile:
    path = tmp_path / "definitions.json"
    path.write_text(json.dumps(parts))
    return DefinitionsFile(path)


def test_it_says_whether_it_brings_users_and_permissions(tmp_path: Path) -> None:
    file = file_of(tmp_path, users=[ANN], permissions=[PERMISSION])
    assert (file.has_users, file.has_permissions) == (True, True)
    file = file_of(tmp_path, users=[{"name": "ann", "password_hash": "", "tags": ""}])
    assert (file.has_users, file.has_permissions) == (False, False)


def test_what_it_says_is_there_when_it_is_loaded(tmp_path: Path) -> None:
    site = Site()
    file_of(tmp_path, vhosts=[{"name": "shop"}], users=[ANN]).load(site.administration)
    assert "shop" in site.vhosts
    assert site.administration.users.get("ann") is not None


@pytest.mark.parametrize("text", ["{", '{"users": [{"name": 7}]}'])
def test_file_that_makes_no_sense_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "definitions.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=f"^definitions file {path}: "):
        DefinitionsFile(path)


def test_nothing_is_loaded_of_a_file_that_is_refused(tmp_path: Path) -> None:
    site = Site()
    queue = {"name": "amq.reserved", "vhost": "nowhere", "durable": True, "auto_delete": False}
    file = file_of(tmp_path, vhosts=[{"name": "shop"}], queues=[{**queue, "arguments": {}}])
    with pytest.raises(ConfigError, match=r"^definitions file "):
        file.load(site.administration)
    assert "shop" not in site.vhosts
