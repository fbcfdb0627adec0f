"""What the store has is in force again; what is not understood is left where it is."""

import logging

import pytest
from tests.control.site import ALICE, HASH, Site

from supersoniq.broker.definitions import Setting
from supersoniq.control.administration import Administration


@pytest.mark.parametrize(
    ("kind", "vhost", "name", "value"),
    [
        ("from-the-future", "", "x", b"{}"),
        ("user", "", "ann", b"{}"),
        ("user", "", "ann", b"not JSON"),
        ("user", "", "ann", b"[]"),
        ("permission", "/", "eve", b'{"configure":"","write":"","read":""}'),
        ("permission", "gone", "bob", b'{"configure":"","write":"","read":""}'),
        ("permission", "/", "bob", b'{"configure":"(","write":"","read":""}'),
        ("policy", "/", "p", b'{"pattern":"","apply-to":"all","priority":0,"definition":{"gone":1}}'),
    ],
)
def test_what_is_not_understood_is_named_and_left_there(
    site: Site,
    administration: Administration,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    vhost: str,
    name: str,
    value: bytes,
) -> None:
    site.store.declared(Setting(kind, vhost, name, value))
    with caplog.at_level(logging.ERROR):
        again = site.again()
    assert f"stored {kind} '{name}'" in caplog.text
    assert value.decode() not in caplog.text
    assert again.administration.users.names == ["guest", "bob"]
    assert list(again.administration.permissions.rows()) == []
    assert (kind, vhost, name) in site.fake_store.kept_settings


def test_order_in_the_store_does_not_matter(site: Site, administration: Administration) -> None:
    administration.put_permission("bob", "shop", "a", "b", "c", ALICE)
    settings = site.fake_store.kept_settings
    site.fake_store.kept_settings = {key: settings[key] for key in reversed(list(settings))}
    again = site.again().administration
    assert again.permissions.of("bob", "shop") is not None
    assert set(again.users.names) == {"guest", "bob"}


def test_recalling_writes_and_tells_nothing(site: Site, administration: Administration) -> None:
    administration.put_user("ann", HASH, frozenset(), ALICE)
    log = list(site.fake_store.log)
    again = site.again()
    assert site.fake_store.log == log
    assert again.events.take() == []
