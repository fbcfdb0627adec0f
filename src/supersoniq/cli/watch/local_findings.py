"""What is wrong with the configuration and the machine that this command runs on."""

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from supersoniq.cli.watch.findings import ERROR, WARNING, Finding

if TYPE_CHECKING:
    from supersoniq.config import Settings

LOOPBACK = ("127.", "::1", "localhost")


def configuration_findings(
    data_dir: str, config: str, environ: Mapping[str, str], takes_guest: Callable[[], bool]
) -> list[Finding]:
    """Settings that cannot be read, or that are risky; `takes_guest` tries guest's well-known password."""
    from pathlib import Path

    from supersoniq.config import ConfigError, load

    flags = {"data_dir": data_dir or None}
    try:
        settings = load(flags, environ, Path(config) if config else None).settings
    except ConfigError as error:
        advice = "`supersoniq config` shows what is in effect; a restart would fail"
        return [Finding(ERROR, f"configuration: {error}", advice)]
    found = risky_settings(settings)
    if is_open(settings, "guest") and takes_guest():
        advice = "change the password (`supersoniq users set-password guest`), or delete the user"
        found.append(Finding(ERROR, "guest/guest may log in from everywhere", advice))
    return found


def is_open(settings: "Settings", user: str) -> bool:
    """True when the user may log in from other machines."""
    is_public = any([not host.startswith(LOOPBACK) for host in settings.host])
    return is_public and user not in settings.loopback_users


def risky_settings(settings: "Settings") -> list[Finding]:
    """Settings that work until the day that they do not."""
    found = []
    if settings.sync != "always":
        advice = "set sync = always, unless messages can be sent again"
        found.append(
            Finding(WARNING, f"sync = {settings.sync}: a power cut loses confirmed messages", advice)
        )
    if settings.memory_limit in ("0", "0%"):
        advice = "set memory_limit: without, the system ends the process when memory is gone"
        found.append(Finding(WARNING, "there is no memory limit", advice))
    if settings.disk_free_limit == "0":
        advice = "set disk_free_limit: a full disk stops every publisher at a bad moment"
        found.append(Finding(WARNING, "there is no limit of free disk space", advice))
    return found


def directory_findings(data_dir: str) -> list[Finding]:
    """A data directory that others can read."""
    try:
        mode = os.stat(data_dir).st_mode
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return [Finding(ERROR, f"data directory {data_dir}: {reason}", "name the right one with --data-dir")]
    if mode & 0o007:
        advice = f"chmod o= {data_dir}"
        return [Finding(WARNING, f"everybody on this machine can look into {data_dir}", advice)]
    return []
