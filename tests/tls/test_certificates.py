"""Which certificate a client is shown, whom the broker believes, and reading the files anew."""

import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from tests.authority import LATER, NOW, Authority, shake_hands

from supersoniq.tls.certificates import Certificates, TLSOptions
from supersoniq.tls.files import CertificateError, KeyFiles


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def shown(context: ssl.SSLContext, authority: Authority, name: str) -> list[str]:
    """The names in the certificate that a client is shown who asks for one, and is not picky."""
    client = authority.client_context()
    client.check_hostname = False
    _, end = shake_hands(context, client, name)
    certificate = end.getpeercert()
    assert certificate is not None
    return [str(name[1]) for name in certificate["subjectAltName"]]


def test_client_is_shown_the_certificate_of_the_name_it_asks_for(authority: Authority) -> None:
    named = {
        "mq.example.com": KeyFiles(authority.issue("mq.example.com", file="1.pem")),
        "*.example.com": KeyFiles(authority.issue("*.example.com", file="2.pem")),
    }
    certificates = Certificates(TLSOptions(KeyFiles(authority.issue("localhost")), named), NOW)
    for context in (certificates.context, certificates.following_context):
        assert shown(context, authority, "mq.example.com") == ["mq.example.com"]
        assert shown(context, authority, "MQ.example.com") == ["mq.example.com"]
        assert shown(context, authority, "a.example.com") == ["*.example.com"]
        assert shown(context, authority, "b.a.example.com") == ["localhost"]
        assert shown(context, authority, "example.com") == ["localhost"]
        assert shown(context, authority, "localhost") == ["localhost"]


def test_client_that_asks_for_no_name_is_shown_the_default(authority: Authority) -> None:
    named = {"a.example.com": KeyFiles(authority.issue("a.example.com", file="1.pem"))}
    certificates = Certificates(TLSOptions(KeyFiles(authority.issue("localhost")), named), NOW)
    assert shown(certificates.context, authority, "127.0.0.1") == ["localhost"]


def test_files_are_read_anew(authority: Authority) -> None:
    path = authority.issue("old.example.com")
    certificates = Certificates(TLSOptions(KeyFiles(path)), NOW)
    before, following = certificates.context, certificates.following_context
    authority.issue("new.example.com")
    assert shown(following, authority, "x") == ["old.example.com"]
    certificates.load(NOW)
    assert shown(before, authority, "x") == ["old.example.com"]
    assert shown(certificates.context, authority, "x") == ["new.example.com"]
    assert shown(following, authority, "x") == ["new.example.com"]


def test_wrong_file_leaves_what_was_there(authority: Authority) -> None:
    path = authority.issue("localhost")
    certificates = Certificates(TLSOptions(KeyFiles(path)), NOW)
    before = certificates.context
    path.write_text("nothing")
    with pytest.raises(CertificateError, match="no certificate in PEM form"):
        certificates.load(NOW)
    assert certificates.context is before


def test_expired_certificate_is_refused_and_one_that_soon_will_be_is_told(authority: Authority) -> None:
    path = authority.issue("localhost", not_after=NOW + timedelta(days=40))
    options = TLSOptions(KeyFiles(path))
    certificates = Certificates(options, NOW)
    assert certificates.warnings == []
    line = f"TLS certificate {path} expires on 2024-07-11T00:00:00Z"
    assert Certificates(options, NOW + timedelta(days=11)).warnings == [line]
    assert certificates.check(NOW + timedelta(days=11)) == [line]
    assert certificates.check(LATER) == [f"TLS certificate {path} expired on 2024-07-11T00:00:00Z"]
    with pytest.raises(CertificateError, match="expired on"):
        Certificates(options, LATER)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_other_versions_than_the_given_one_are_refused(authority: Authority, version: str) -> None:
    options = TLSOptions(KeyFiles(authority.issue("localhost")), versions=(version,))
    context = Certificates(options, NOW).context
    client = authority.client_context()
    server_end, _ = shake_hands(context, client)
    assert server_end.version() == f"TLSv{version}"
    if version == "1.2":
        client.minimum_version = ssl.TLSVersion.TLSv1_3
    else:
        client.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError, match=r"UNSUPPORTED_PROTOCOL|TLSV1_ALERT_PROTOCOL_VERSION"):
        shake_hands(context, client)


def test_cipher_suites_are_those_of_the_list(authority: Authority) -> None:
    files = KeyFiles(authority.issue("localhost"))
    options = TLSOptions(files, versions=("1.2",), ciphers="ECDHE-ECDSA-AES256-GCM-SHA384")
    server_end, _ = shake_hands(Certificates(options, NOW).context, authority.client_context())
    cipher = server_end.cipher()
    assert cipher is not None
    assert cipher[0] == "ECDHE-ECDSA-AES256-GCM-SHA384"
    with pytest.raises(CertificateError, match="tls_ciphers = NONSENSE: OpenSSL knows none of them"):
        Certificates(TLSOptions(files, ciphers="NONSENSE"), NOW)


def demanding(authority: Authority, verify: str, revoked: Path | None = None) -> ssl.SSLContext:
    files = KeyFiles(authority.issue("localhost"))
    return Certificates(
        TLSOptions(files, authorities=authority.path, revoked=revoked, verify=verify), NOW
    ).context


def test_client_is_asked_for_a_certificate_only_if_that_is_wanted(authority: Authority) -> None:
    certificate = authority.issue("ann", file="ann.pem", common_name="ann")
    for verify, is_known in (("none", False), ("request", True), ("require", True)):
        server_end, _ = shake_hands(demanding(authority, verify), authority.client_context(certificate))
        assert bool(server_end.getpeercert()) is is_known


def test_client_without_a_certificate_is_refused_only_if_one_is_required(authority: Authority) -> None:
    shake_hands(demanding(authority, "request"), authority.client_context())
    with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN_A_CERTIFICATE"):
        shake_hands(demanding(authority, "require"), authority.client_context())


@pytest.mark.parametrize("verify", ["request", "require"])
def test_certificate_of_a_stranger_is_refused(authority: Authority, tmp_path: Path, verify: str) -> None:
    strange = Authority(tmp_path / "other").issue("ann", file="ann.pem")
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        shake_hands(demanding(authority, verify), authority.client_context(strange))
    assert "unable to get local issuer certificate" in caught.value.verify_message


def test_certificate_of_a_client_that_has_expired_is_refused(authority: Authority) -> None:
    old = authority.issue("ann", file="ann.pem", not_after=NOW)
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        shake_hands(demanding(authority, "require"), authority.client_context(old))
    assert caught.value.verify_message == "certificate has expired"


def test_certificate_that_was_revoked_is_refused(authority: Authority) -> None:
    ann = authority.issue("ann", file="ann.pem")
    bob = authority.issue("bob", file="bob.pem")
    context = demanding(authority, "require", authority.revoke(ann))
    shake_hands(context, authority.client_context(bob))
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        shake_hands(context, authority.client_context(ann))
    assert caught.value.verify_message == "certificate revoked"


def test_authority_that_is_no_root_is_believed(authority: Authority) -> None:
    below = authority.ca.create_child_ca()
    below.cert_pem.write_to_path(str(authority.path))
    ann = authority.directory / "ann.pem"
    below.issue_cert("ann", not_after=LATER).private_key_and_cert_chain_pem.write_to_path(str(ann))
    context = demanding(authority, "require")
    client = authority.client_context(ann)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    shake_hands(context, client)


def test_wrong_files_of_authorities_are_named(authority: Authority, tmp_path: Path) -> None:
    files = KeyFiles(authority.issue("localhost"))
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    with pytest.raises(CertificateError, match=r"TLS CA file .*empty.pem has no certificate in PEM form"):
        Certificates(TLSOptions(files, authorities=empty), NOW)
    with pytest.raises(CertificateError, match=r"TLS CRL .*empty.pem has no list of revoked certificates"):
        Certificates(TLSOptions(files, revoked=empty), NOW)


def test_authorities_are_read_anew(authority: Authority, tmp_path: Path) -> None:
    files = KeyFiles(authority.issue("localhost"))
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(authority.path.read_bytes())
    other = Authority(tmp_path / "other")
    options = TLSOptions(files, authorities=trusted, verify="require")
    certificates = Certificates(options, NOW)
    following = certificates.following_context
    client = authority.client_context(other.issue("ann", file="ann.pem"))
    trusted.write_bytes(other.path.read_bytes())
    certificates.load(NOW)
    shake_hands(certificates.context, client)
    shake_hands(following, client)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(following, authority.client_context(files.certificate))
