"""What the service manager is told: ready, stopping, alive (systemd: sd_notify).

Datagrams to the socket that `NOTIFY_SOCKET` names; without the variable nothing happens. A manager that does
not listen is not our problem: errors are logged at DEBUG and dropped.
"""

import logging
import os
import socket
from collections.abc import Mapping

logger = logging.getLogger(__name__)


class Notifier:
    """Speaks to the manager named in `environ`; costs nothing when there is none."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        self._watchdog_usec = environ.get("WATCHDOG_USEC", "")
        self._watchdog_pid = environ.get("WATCHDOG_PID", "")

    @property
    def watchdog_seconds(self) -> float | None:
        """How often to call `alive`, twice as often as it must be; None when nobody watches this process."""
        if not self._address or not self._watchdog_usec.isdigit() or self._watchdog_usec == "0":
            return None
        if self._watchdog_pid and self._watchdog_pid != str(os.getpid()):
            return None
        return int(self._watchdog_usec) / 2_000_000

    def ready(self, status: str) -> None:
        """The node serves; `status` is the line that `systemctl status` shows."""
        self._send(f"READY=1\nSTATUS={status}")

    def stopping(self) -> None:
        """The node closes its clients and ends."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """The event loop turns."""
        self._send("WATCHDOG=1")

    def _send(self, state: str) -> None:
        if not self._address:
            return
        # A leading @ is systemd's way to write the abstract namespace's NUL.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.sendto(state.encode(), address)
        except OSError as error:
            logger.debug("service manager at %s is not told %s: %s", self._address, state, error)
