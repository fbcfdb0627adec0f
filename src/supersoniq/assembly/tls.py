"""A node's certificates: found by its settings, read anew when it is told to, and looked at every day."""

import asyncio
import logging
from datetime import UTC, datetime

from pydantic import SecretStr

from supersoniq.config import ConfigError, Settings
from supersoniq.settings.tls import TLSSettings
from supersoniq.tls.certificates import Certificates, TLSOptions
from supersoniq.tls.files import CertificateError, KeyFiles

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 24 * 60 * 60


class NodeTLS:
    """What a node with a certificate has; its listeners share `certificates`."""

    def __init__(self, settings: Settings) -> None:
        """Read the files; raises ConfigError."""
        if settings.tls_verify != "none" and settings.tls_ca is None:
            raise ConfigError(
                f"tls_verify = {settings.tls_verify}: expected tls_ca, by which clients are judged"
            )
        try:
            self.certificates = Certificates(_options(settings), _now())
        except CertificateError as error:
            raise ConfigError(str(error)) from error
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._warn(self.certificates.warnings)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look at the certificates every day from now on."""
        self._loop = loop
        self._timer = loop.call_later(SECONDS_BETWEEN_LOOKS, self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def reload(self) -> None:
        """Read the files anew for new connections; if one is wrong what was there before stays."""
        try:
            self.certificates.load(_now())
        except CertificateError as error:
            logger.error("the certificates stay as they were: %s", error)
        else:
            logger.info("the certificates were read anew: new connections get them")
            self._warn(self.certificates.warnings)

    def _look(self) -> None:
        self._warn(self.certificates.check(_now()))
        if self._loop is not None:
            self.start(self._loop)

    def _warn(self, warnings: list[str]) -> None:
        for warning in warnings:
            logger.warning("%s", warning)


def _options(settings: TLSSettings) -> TLSOptions:
    assert settings.tls_certificate is not None
    named = {
        name: KeyFiles(pair.certificate, pair.key, _text(pair.key_password))
        for name, pair in settings.tls_certificates.items()
    }
    return TLSOptions(
        KeyFiles(settings.tls_certificate, settings.tls_key, _password(settings)),
        named,
        settings.tls_ca,
        settings.tls_crl,
        tuple(settings.tls_versions),
        settings.tls_ciphers,
        settings.tls_verify,
    )


def _password(settings: TLSSettings) -> str | None:
    path = settings.tls_key_password_file
    if path is None:
        return _text(settings.tls_key_password)
    try:
        return path.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"tls_key_password_file = {path}: cannot be read: {error}") from None


def _text(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _now() -> datetime:
    return datetime.now(UTC)
