"""Certificates and keys in files: each way to be wrong is one line that names the file."""

import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from tests.authority import LATER, NOW, Authority

from supersoniq.tls.files import CertificateError, KeyFiles, check_time, read_certificates


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def load(files: KeyFiles) -> None:
    files.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))


def complaint(files: KeyFiles) -> str:
    with pytest.raises(CertificateError) as caught:
        load(files)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_certificate_and_key_may_be_in_one_file_or_two(authority: Authority) -> None:
    load(KeyFiles(authority.issue("localhost")))
    load(KeyFiles(*authority.issue_apart("localhost")))


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    assert complaint(KeyFiles(missing)) == (
        f"TLS certificate {missing} cannot be read: no such file or directory"
    )
    assert complaint(KeyFiles(tmp_path)) == f"TLS certificate {tmp_path} cannot be read: is a directory"


def test_file_without_a_certificate_is_named(tmp_path: Path) -> None:
    path = tmp_path / "empty.pem"
    path.write_text("nothing")
    assert complaint(KeyFiles(path)) == f"TLS certificate {path} has no certificate in PEM form"


def test_certificate_that_is_cut_off_is_named(authority: Authority) -> None:
    certificate, key = authority.issue_apart("localhost")
    certificate.write_bytes(certificate.read_bytes()[:-200])
    assert complaint(KeyFiles(certificate, key)).startswith(
        f"TLS certificate {certificate} has no certificate"
    )


def test_key_of_another_certificate_is_refused(authority: Authority) -> None:
    certificate, _ = authority.issue_apart("localhost")
    other = authority.issue("localhost", file="other.pem")
    assert complaint(KeyFiles(certificate, other)) == (
        f"TLS key {other} does not belong to certificate {certificate}"
    )


def test_file_without_a_key_is_named(authority: Authority) -> None:
    certificate, _ = authority.issue_apart("localhost")
    assert complaint(KeyFiles(certificate)) == f"TLS key {certificate} has no private key in PEM form"


def test_encrypted_key_needs_its_password(authority: Authority) -> None:
    certificate, key = authority.issue_apart("localhost", password="s3cret")
    load(KeyFiles(certificate, key, "s3cret"))
    assert complaint(KeyFiles(certificate, key)) == (
        f"TLS key {key} is encrypted, and there is no password for it: set tls_key_password"
    )
    said = complaint(KeyFiles(certificate, key, "wr0ng"))
    assert said == f"TLS key {key} cannot be decrypted: the password is wrong"


def test_password_for_a_key_that_needs_none_does_no_harm(authority: Authority) -> None:
    load(KeyFiles(*authority.issue_apart("localhost"), "s3cret"))


def test_password_is_not_shown() -> None:
    assert "s3cret" not in repr(KeyFiles(Path("a"), None, "s3cret"))


def test_time_of_a_certificate_is_judged(authority: Authority) -> None:
    path = authority.issue("localhost", not_before=NOW, not_after=NOW + timedelta(days=90))
    certificate = read_certificates(path, "certificate")[0]
    assert check_time(certificate, path, NOW) == ""
    assert check_time(certificate, path, NOW + timedelta(days=61)) == (
        f"TLS certificate {path} expires on 2024-08-30T00:00:00Z"
    )
    assert check_time(certificate, path, NOW - timedelta(days=1)) == (
        f"TLS certificate {path} is not valid before 2024-06-01T00:00:00Z"
    )
    with pytest.raises(CertificateError, match="expired on 2024-08-30T00:00:00Z"):
        check_time(certificate, path, LATER)
