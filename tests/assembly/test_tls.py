"""A node's certificates: found by its settings, read anew, and looked at every day."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.authority import NOW, Authority
from tests.server.fake_loop import FakeLoop

from supersoniq.assembly.tls import NodeTLS
from supersoniq.config import ConfigError, Settings
from supersoniq.settings.tls import KeyPair


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def complaint(**settings: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        NodeTLS(Settings(**settings))
    return str(caught.value)


def test_settings_become_certificates(authority: Authority) -> None:
    certificate, key = authority.issue_apart("localhost", password="s3cret")
    password = authority.directory / "password"
    password.write_text("s3cret\nand more\n")
    NodeTLS(Settings(tls_certificate=certificate, tls_key=key, tls_key_password=SecretStr("s3cret")))
    NodeTLS(Settings(tls_certificate=certificate, tls_key=key, tls_key_password_file=password))
    pair = KeyPair(certificate=certificate, key=key, key_password=SecretStr("s3cret"))
    NodeTLS(Settings(tls_certificate=authority.issue("localhost"), tls_certificates={"a": pair}))


def test_what_is_wrong_with_a_file_is_one_line(authority: Authority, tmp_path: Path) -> None:
    old = authority.issue("localhost", not_after=NOW)
    assert complaint(tls_certificate=old) == f"TLS certificate {old} expired on 2024-06-01T00:00:00Z"
    certificate, key = authority.issue_apart("localhost", password="s3cret")
    said = complaint(tls_certificate=certificate, tls_key=key)
    assert said == f"TLS key {key} is encrypted, and there is no password for it: set tls_key_password"


def test_password_file_that_is_no_text_is_named(authority: Authority) -> None:
    certificate, key = authority.issue_apart("localhost")
    path = authority.directory / "password"
    path.write_bytes(b"\xff")
    said = complaint(tls_certificate=certificate, tls_key=key, tls_key_password_file=path)
    assert said.startswith(f"tls_key_password_file = {path}: cannot be read: ")


@pytest.mark.parametrize("verify", ["request", "require"])
def test_clients_can_be_judged_by_an_authority_only(authority: Authority, verify: str) -> None:
    assert complaint(tls_certificate=authority.issue("localhost"), tls_verify=verify) == (
        f"tls_verify = {verify}: expected tls_ca, by which clients are judged"
    )


def test_files_that_are_read_anew_are_told_of(authority: Authority, caplog: pytest.LogCaptureFixture) -> None:
    path = authority.issue("localhost")
    tls = NodeTLS(Settings(tls_certificate=path))
    before = tls.certificates.context
    with caplog.at_level(logging.INFO):
        tls.reload()
        now = tls.certificates.context
        path.write_text("nothing")
        tls.reload()
    assert now is not before
    assert tls.certificates.context is now
    assert caplog.messages == [
        "the certificates were read anew: new connections get them",
        f"the certificates stay as they were: TLS certificate {path} has no certificate in PEM form",
    ]


def test_certificate_that_expires_soon_is_told_of_every_day(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    path = authority.issue("localhost", not_after=datetime.now(UTC) + timedelta(days=2))
    loop = FakeLoop()
    with caplog.at_level(logging.WARNING):
        tls = NodeTLS(Settings(tls_certificate=path))
        tls.start(loop.as_loop())
        loop.run()
        loop.run()
    assert len(caplog.messages) == 3
    assert len(set(caplog.messages)) == 1
    assert caplog.messages[0].startswith(f"TLS certificate {path} expires on ")
