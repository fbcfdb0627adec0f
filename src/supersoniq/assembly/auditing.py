"""The audit log as the settings want it."""

from collections.abc import Callable
from pathlib import Path

from supersoniq.audit.log import AuditLog
from supersoniq.config import ConfigError, Settings


def open_audit(settings: Settings, now_ms: Callable[[], int]) -> AuditLog | None:
    """Return the audit log, not started yet, None if there is to be none; raises ConfigError."""
    if settings.audit_log == "off":
        return None
    path = Path(settings.audit_log)
    if settings.audit_log == "on":
        if settings.data_dir is None:
            raise ConfigError("audit_log = on needs a data directory; give it the path of a file")
        path = settings.data_dir / "audit.log"
    try:
        return AuditLog(path, settings.audit_log_bytes_max, settings.audit_log_files, now_ms)
    except OSError as error:
        raise ConfigError(f"audit_log {path} cannot be written: {error.strerror}") from error
