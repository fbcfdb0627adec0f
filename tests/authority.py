"""Certificates for tests, made on the spot: an authority, and files with what it has signed."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trustme
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509 import CertificateRevocationListBuilder, RevokedCertificateBuilder
from cryptography.x509 import load_pem_x509_certificate as load_certificate

NOW = datetime(2024, 6, 1, tzinfo=UTC)
LATER = datetime(2099, 1, 1, tzinfo=UTC)


class Authority:
    """A certificate authority whose files are in `directory`."""

    def __init__(self, directory: Path, name: str = "ca") -> None:
        directory.mkdir(exist_ok=True)
        self.directory = directory
        self.ca = trustme.CA()
        self.path = directory / f"{name}.pem"
        self.ca.cert_pem.write_to_path(str(self.path))

    def issue(self, *names: str, file: str = "server.pem", **options: Any) -> Path:
        """A file with key and certificate for names of hosts; `options` are those of trustme."""
        path = self.directory / file
        issued = self.ca.issue_cert(*names, **({"not_after": LATER} | options))
        issued.private_key_and_cert_chain_pem.write_to_path(str(path))
        return path

    def issue_apart(self, *names: str, password: str = "") -> tuple[Path, Path]:
        """A file with a certificate and one with its key, which is encrypted if there is a password."""
        issued = self.ca.issue_cert(*names, not_after=LATER)
        certificate, key = self.directory / "apart.crt", self.directory / "apart.key"
        issued.cert_chain_pems[0].write_to_path(str(certificate))
        private = load_pem_private_key(issued.private_key_pem.bytes(), None)
        encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
        return certificate, key

    def revoke(self, certificate: Path) -> Path:
        """A file with a list of revoked certificates: that one."""
        pem = certificate.read_bytes()
        serial = load_certificate(pem[pem.index(b"-----BEGIN CERT") :]).serial_number
        now = datetime.now(UTC) - timedelta(hours=1)
        revoked = RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
        ca = load_certificate(self.ca.cert_pem.bytes())
        crl = (
            CertificateRevocationListBuilder()
            .issuer_name(ca.subject)
            .last_update(now)
            .next_update(now + timedelta(days=30))
            .add_revoked_certificate(revoked)
            .sign(load_pem_private_key(self.ca.private_key_pem.bytes(), None), SHA256())  # type: ignore[arg-type]
        )
        path = self.directory / "revoked.pem"
        path.write_bytes(crl.public_bytes(Encoding.PEM))
        return path

    def client_context(self, certificate: Path | None = None) -> ssl.SSLContext:
        """What a client needs who believes this authority, and has a certificate or none."""
        context = ssl.create_default_context(cafile=str(self.path))
        if certificate is not None:
            context.load_cert_chain(certificate)
        return context


def shake_hands(
    server: ssl.SSLContext, client: ssl.SSLContext, name: str = "localhost"
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Both ends of a connection in memory, the server's first; raises what either end says of the other."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    done: set[ssl.SSLObject] = set()
    while len(done) < 2 or to_server.pending:
        for end in ends:
            try:
                end.do_handshake() if end not in done else end.read()
            except ssl.SSLWantReadError:
                continue
            done.add(end)
    return ends[1], ends[0]
