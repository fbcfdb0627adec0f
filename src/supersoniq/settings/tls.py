"""Settings of TLS: who the broker says it is, and whom it believes."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr

from supersoniq.settings.values import ExistingFile, Listed, Lower, Pairs, Words


def _version(name: object) -> object:
    """`1.2` also for `tlsv1.2`, as RabbitMQ writes it, and for the number 1.2."""
    return str(name).lower().removeprefix("tlsv")


def _files(value: object) -> object:
    """The name of one file instead of a table: certificate and key are both in it."""
    return {"certificate": value} if isinstance(value, str) else value


def _name(name: str) -> str:
    """A name that clients may ask for."""
    if not name or "*" in name.removeprefix("*.") or name.startswith("."):
        raise ValueError("expected names of hosts, where *.example.com stands for one more label")
    return name.lower()


class KeyPair(BaseModel, frozen=True, extra="forbid", hide_input_in_errors=True):
    """One more certificate, for the clients that ask for its name."""

    certificate: ExistingFile
    key: ExistingFile | None = None
    key_password: SecretStr | None = None


Version = Annotated[Literal["1.2", "1.3"], BeforeValidator(_version)]
HostName = Annotated[str, AfterValidator(_name)]


class TLSSettings(BaseModel):
    """The group of `tls_*`: there are listeners for TLS as soon as there is a certificate."""

    tls_host: Words = Field(default=[], description="addresses of AMQP with TLS; empty: those of AMQP")
    tls_port: int = Field(
        default=5671, ge=0, le=65535, description="TCP port of AMQP with TLS; 0 takes a free one and logs it"
    )
    management_tls_port: int = Field(
        default=15671,
        ge=0,
        le=65535,
        description="TCP port of the HTTP API with TLS; 0 takes a free one and logs it",
    )
    prometheus_tls_port: int = Field(
        default=15691,
        ge=0,
        le=65535,
        description="TCP port of the pages for Prometheus with TLS; 0 takes a free one and logs it",
    )
    tls_certificate: ExistingFile | None = Field(
        default=None,
        description="PEM file: the certificate and those that lead to its authority; there is TLS with it",
    )
    tls_key: ExistingFile | None = Field(
        default=None, description="PEM file: the certificate's key; unset: in the file of the certificate"
    )
    tls_key_password: SecretStr | None = Field(default=None, description="password of the key")
    tls_key_password_file: ExistingFile | None = Field(
        default=None, description="file whose first line is the password of the key"
    )
    tls_certificates: Annotated[dict[HostName, Annotated[KeyPair, BeforeValidator(_files)]], Pairs] = Field(
        default={},
        description="certificates for single names that clients ask for: *.example.com = {certificate, key}",
    )
    tls_ca: ExistingFile | None = Field(
        default=None, description="PEM file: the authorities whose certificates clients may have"
    )
    tls_crl: ExistingFile | None = Field(
        default=None, description="PEM file: list of clients' certificates that were revoked"
    )
    tls_verify: Annotated[Literal["none", "request", "require"], Lower] = Field(
        default="none", description="a client's certificate: none, checked if it has one, or required"
    )
    tls_versions: Annotated[list[Version], Listed] = Field(
        default=["1.2", "1.3"], min_length=1, description="versions of TLS: 1.2, 1.3"
    )
    tls_ciphers: str = Field(
        default="", description="cipher suites of TLS 1.2 in OpenSSL's words; empty: its default"
    )
