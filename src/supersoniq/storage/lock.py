"""The lock that keeps a second node out of a data directory.

It is an advisory lock on the file `lock` in the directory, so the system drops it when the process ends,
however it ends. The file stays and holds the process id of its last owner, for people.
"""

import contextlib
import os
import sys
from pathlib import Path
from types import TracebackType

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class LockError(Exception):
    """The data directory cannot be used; the text is one line for the operator."""


class DirectoryLock:
    """Holds `directory` from construction until `release`, or the end of the process.

    Raises LockError when another process or another DirectoryLock holds it, and when it is not a directory or
    is not writable. Does not create the directory: a mistyped path must not become an empty broker.
    """

    def __init__(self, directory: Path) -> None:
        if not directory.is_dir():
            raise LockError(
                f"data directory {directory} does not exist: create it or give another with --data-dir"
            )
        self.path = directory / "lock"
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise LockError(f"data directory {directory} cannot be used: {reason}") from None
        try:
            _lock(self._fd)
        except OSError:
            owner = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip()
            os.close(self._fd)
            raise LockError(f"data directory {directory} is in use by process {owner or 'unknown'}") from None
        # On a full disk the lock holds without a name.
        with contextlib.suppress(OSError):
            os.ftruncate(self._fd, 0)
            os.write(self._fd, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let another process have the directory; the second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> "DirectoryLock":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()


def _lock(fd: int) -> None:
    """Raises OSError when somebody else holds the lock."""
    if sys.platform == "win32":
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
