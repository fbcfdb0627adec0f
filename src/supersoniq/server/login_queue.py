"""Passwords that wait to be verified: the networks they came from take turns, and none crowds out others."""

import collections
from typing import Final

from supersoniq.auth.passwords import PasswordHash
from supersoniq.session.logins import Login

JOBS_MAX: Final = 256


class LoginJob:
    """One password for one user; all `logins` that give it wait for the same answer."""

    def __init__(self, digest: bytes, password_hash: PasswordHash, login: Login) -> None:
        self.digest = digest
        self.password_hash = password_hash
        self.user = login.user
        self.password = login.password or b""
        self.logins = [login]

    @property
    def is_wanted(self) -> bool:
        """Whether anybody still waits for the answer."""
        return any(not login.is_over for login in self.logins)


class LoginQueue:
    """A bounded queue of jobs, by the network they came from."""

    def __init__(self) -> None:
        self._count = 0
        self._waiting: dict[str, collections.deque[LoginJob]] = {}  # in the order of their turns

    def __len__(self) -> int:
        return self._count

    def put(self, network: str, job: LoginJob) -> LoginJob | None:
        """Add a job; returns the one that has to give way if there are too many now."""
        self._waiting.setdefault(network, collections.deque()).append(job)
        self._count += 1
        if self._count <= JOBS_MAX:
            return None
        longest = max(self._waiting, key=lambda each: len(self._waiting[each]))
        self._count -= 1
        return self._taken(longest, self._waiting[longest].pop())

    def take(self) -> LoginJob | None:
        """Return the job whose turn it is, None if there is none."""
        if not self._waiting:
            return None
        self._count -= 1
        network = next(iter(self._waiting))
        jobs = self._waiting.pop(network)
        self._waiting[network] = jobs  # its next turn is after the others'
        return self._taken(network, jobs.popleft())

    def _taken(self, network: str, job: LoginJob) -> LoginJob:
        if not self._waiting[network]:
            del self._waiting[network]
        return job
