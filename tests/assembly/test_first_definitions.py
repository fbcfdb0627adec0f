"""What a node has before clients come, from its settings and from a file."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.control.site import ALICE, Site

from supersoniq.assembly.first_definitions import furnish
from supersoniq.auth.passwords import SHA256, hash_password, verify
from supersoniq.config import ConfigError, Settings

ANN = {"name": "ann", "password_hash": hash_password(b"x", SHA256).encoded, "tags": "administrator"}
EVERYTHING = {"configure": ".*", "write": ".*", "read": ".*"}


@pytest.fixture
def site() -> Site:
    return Site()


def rows(site: Site) -> set[tuple[str, str]]:
    return {(user, vhost) for user, vhost, _ in site.administration.permissions.rows()}


def settings_for(tmp_path: Path, *, secret: str = "guest", **parts: Any) -> Settings:
    path = tmp_path / "definitions.json"
    path.write_text(json.dumps(parts))
    if secret != "guest":
        return Settings(load_definitions=path, default_pass=SecretStr(secret))
    return Settings(load_definitions=path)


def test_without_a_file_there_is_what_the_settings_bring(site: Site) -> None:
    furnish(Settings(vhosts=["/", "shop"]), site.administration)
    assert rows(site) == {("guest", "/"), ("guest", "shop")}


def test_users_of_the_settings_may_use_vhosts_of_a_file_that_has_no_permissions(
    site: Site, tmp_path: Path
) -> None:
    furnish(settings_for(tmp_path, vhosts=[{"name": "shop"}]), site.administration)
    assert rows(site) == {("guest", "/"), ("guest", "shop")}


def test_permissions_of_the_file_are_all_there_are(site: Site, tmp_path: Path) -> None:
    permissions = [{"user": "guest", "vhost": "a", **EVERYTHING}]
    settings = settings_for(tmp_path, vhosts=[{"name": "a"}, {"name": "b"}], permissions=permissions)
    furnish(settings, site.administration)
    assert rows(site) == {("guest", "/"), ("guest", "a")}


def test_users_of_the_file_come_instead_of_the_default_one(site: Site, tmp_path: Path) -> None:
    furnish(settings_for(tmp_path, users=[ANN]), site.administration)
    assert site.administration.users.names == ["ann"]


def test_default_user_that_is_asked_for_comes_too(site: Site, tmp_path: Path) -> None:
    furnish(settings_for(tmp_path, secret="s", users=[ANN]), site.administration)
    guest = site.administration.users.get("guest")
    assert guest is not None
    assert guest.password is not None
    assert verify(b"s", guest.password)


def test_user_without_a_password_in_the_file_is_the_default_one(site: Site, tmp_path: Path) -> None:
    furnish(
        settings_for(tmp_path, users=[{"name": "guest", "limits": {"max-channels": 3}}]), site.administration
    )
    guest = site.administration.users.get("guest")
    assert guest is not None
    assert guest.password is not None
    assert guest.limits == {"max-channels": 3}


def test_file_counts_again_at_the_next_start_and_adds_only(site: Site, tmp_path: Path) -> None:
    settings = settings_for(tmp_path, vhosts=[{"name": "shop"}], users=[{**ANN, "tags": ["monitoring"]}])
    furnish(settings, site.administration)
    site.administration.set_tags("ann", frozenset({"other"}), ALICE)
    site.administration.put_vhost("more", "", [], "", False, ALICE)
    site.administration.delete_vhost("shop", ALICE)
    again = site.again()
    furnish(settings, again.administration)
    ann = again.administration.users.get("ann")
    assert ann is not None
    assert ann.tags == {"monitoring"}
    assert set(again.vhosts) == {"/", "shop", "more"}


def test_what_is_left_out_is_a_warning(site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shovels = [{"vhost": "/", "component": "shovel", "name": name, "value": {}} for name in "ab"]
    with caplog.at_level(logging.WARNING):
        furnish(settings_for(tmp_path, parameters=shovels), site.administration)
    assert caplog.messages == ["definitions: left out: parameters of component shovel: a, b"]


def test_default_user_does_not_come_to_a_node_that_has_users(site: Site, tmp_path: Path) -> None:
    furnish(settings_for(tmp_path, users=[ANN]), site.administration)
    again = site.again()
    furnish(Settings(), again.administration)
    assert again.administration.users.names == ["ann"]


def test_default_user_may_use_vhosts_that_are_added_to_the_settings(site: Site) -> None:
    furnish(Settings(), site.administration)
    again = site.again()
    furnish(Settings(vhosts=["/", "shop"]), again.administration)
    assert rows(again) == {("guest", "/"), ("guest", "shop")}


def test_namesake_of_the_default_user_that_a_file_made_gets_nothing_more(site: Site, tmp_path: Path) -> None:
    guest = {**ANN, "name": "guest"}
    settings = settings_for(
        tmp_path, users=[guest], permissions=[{"user": "guest", "vhost": "/", **EVERYTHING}]
    )
    furnish(settings, site.administration)
    again = site.again()
    furnish(Settings(vhosts=["/", "shop"]), again.administration)
    assert rows(again) == {("guest", "/")}


def test_cluster_has_an_identity_that_stays(site: Site) -> None:
    furnish(Settings(), site.administration)
    identity = site.administration.global_parameters["internal_cluster_id"]
    assert str(identity).startswith("supersoniq-cluster-id-")
    again = site.again()
    furnish(Settings(), again.administration)
    assert again.administration.global_parameters["internal_cluster_id"] == identity
    other = Site()
    furnish(Settings(), other.administration)
    assert other.administration.global_parameters["internal_cluster_id"] != identity


def test_file_that_is_wrong_loads_nothing(site: Site, tmp_path: Path) -> None:
    settings = settings_for(
        tmp_path, vhosts=[{"name": "shop"}], queues=[{"name": "q", "vhost": "no", "durable": True}]
    )
    with pytest.raises(ConfigError, match=r"definitions.json: queues\[0\]: no such vhost 'no'"):
        furnish(settings, site.administration)
    assert list(site.vhosts) == ["/"]
