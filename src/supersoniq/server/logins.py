"""Decides about logins by passwords: at once where that is cheap, else in one thread beside the event loop.

A right password is known again without its slow hash, failures of one address are answered ever later, and
wrong names take as long as wrong passwords. docs/adr/0012-password-hashes.md says why.
"""

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Final

from supersoniq.auth.failures import Failures, network_of
from supersoniq.auth.passwords import SCRYPT, PasswordHash, verify
from supersoniq.auth.remembered import Remembered
from supersoniq.auth.users import User, Users
from supersoniq.server.login_queue import LoginJob, LoginQueue
from supersoniq.session.logins import Login, Logins

logger = logging.getLogger(__name__)

# How much the thread gives way to the event loop, in the system's terms.
NICE: Final = 10
# No password fits: what is verified for users that do not exist.
NOBODY: Final = PasswordHash(
    SCRYPT, "scrypt$n=16384,r=8,p=5$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
)


class PasswordLogins(Logins):
    """The logins of one node."""

    def __init__(self, users: Users, loopback_users: frozenset[str], nobody: PasswordHash = NOBODY) -> None:
        self._users = users
        self._loopback_users = loopback_users
        self._nobody = nobody
        self._remembered = Remembered()
        self._failures = Failures()
        self._queue = LoginQueue()
        self._jobs: dict[bytes, LoginJob] = {}  # those that wait or run, by their digest
        self._is_busy = False
        self._thread: ThreadPoolExecutor | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end_turn: Callable[[], None] | None = None

    def start(self, loop: asyncio.AbstractEventLoop, end_turn: Callable[[], None]) -> None:
        """Begin to decide; `end_turn` is called after each answer that did not come at once."""
        self._loop = loop
        self._end_turn = end_turn

    def stop(self) -> None:
        """Give up what waits."""
        self._loop = None
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
            self._thread = None

    def attempt(self, login: Login) -> None:
        """Grant or refuse a login, at once unless a slow hash has to be computed or failures pile up."""
        user = self._users.get(login.user)
        password = login.password
        if password is None:
            if user is None:
                self._refuse(login, "there is no such user")
            else:
                self._right(login)
        elif not password:
            self._refuse(login, "the password is empty")
        else:
            self._check(login, user, password)

    async def check(self, user: str, password: bytes, host: str, from_loopback: bool) -> User | None:
        """Return the user that a password and an address let in, else None; for other servers than AMQP's."""
        login = _AwaitedLogin(user, password, host, from_loopback, asyncio.get_running_loop())
        try:
            self.attempt(login)
            return self._users.get(user) if await login.answer else None
        finally:
            login.is_over = True

    # What is known

    def _check(self, login: Login, user: User | None, password: bytes) -> None:
        password_hash = self._nobody if user is None or user.password is None else user.password
        if password_hash.is_fast:
            if verify(password, password_hash):
                self._right(login)
                return
            # As slow as the others, or it would show which users have such a hash.
            password_hash = self._nobody
        digest = self._remembered.digest(login.user, password_hash, password)
        if user is not None and self._remembered.is_right(login.user, digest):
            self._right(login)
        elif self._remembered.is_wrong(digest):
            self._refuse(login, self._reason(user))
        else:
            self._verify_later(digest, password_hash, login)

    def _right(self, login: Login) -> None:
        """Let in who has shown who it is, if it may come from there."""
        if not login.from_loopback and login.user in self._loopback_users:
            self._refuse(login, "the user may come from this machine only")
            return
        login.grant()

    def _reason(self, user: User | None) -> str:
        if user is None:
            return "there is no such user"
        return "the user has no password" if user.password is None else "the password is wrong"

    # What has to be computed

    def _verify_later(self, digest: bytes, password_hash: PasswordHash, login: Login) -> None:
        job = self._jobs.get(digest)
        if job is not None:
            job.logins.append(login)
            return
        job = self._jobs[digest] = LoginJob(digest, password_hash, login)
        dropped = self._queue.put(network_of(login.host), job)
        if dropped is not None:
            del self._jobs[dropped.digest]
            for each in dropped.logins:
                self._refuse(each, "too many logins wait for their passwords to be verified")
        self._work()

    def _work(self) -> None:
        """Have the thread verify the next password that somebody waits for."""
        while not self._is_busy:
            job = self._queue.take()
            if job is None:
                return
            if job.is_wanted:
                self._is_busy = True
                if self._thread is None:
                    self._thread = ThreadPoolExecutor(1, "supersoniq-logins", _give_way)
                future = self._thread.submit(verify, job.password, job.password_hash)
                future.add_done_callback(partial(self._computed, job))
            else:
                del self._jobs[job.digest]

    def _computed(self, job: LoginJob, future: Future[bool]) -> None:
        """Have the loop look at the answer; called in the thread."""
        loop = self._loop
        if loop is not None and not future.cancelled():
            try:
                loop.call_soon_threadsafe(self._decide, job, future)
            except RuntimeError:
                return  # the loop is closed: nobody waits any more

    def _decide(self, job: LoginJob, future: Future[bool]) -> None:
        self._is_busy = False
        self._jobs.pop(job.digest, None)
        error = future.exception()
        if error is not None:
            logger.error("a password of user %r cannot be verified: %s", job.user, error)
        is_right = error is None and future.result()
        self._remembered.note(job.user, job.digest, is_right)
        self._remembered.forget(2 * len(self._users) + 16)
        user = self._users.get(job.user)
        # The user may have got another password, or be gone, since.
        still = is_right and user is not None and user.password == job.password_hash
        self._work()
        for login in job.logins:
            if not login.is_over:
                self._answer(login, "" if still else self._reason(user))
        self._finish()

    def _answer(self, login: Login, reason: str) -> None:
        """Grant or refuse in a turn of its own: what goes wrong with one client must not hurt the others."""
        try:
            if reason:
                self._refuse(login, reason)
            else:
                self._right(login)
        except Exception:
            logger.exception("the answer to a login failed, please report it")

    # Answers

    def _refuse(self, login: Login, reason: str) -> None:
        """Turn a client away, the later the more failures there were from its address."""
        assert self._loop is not None
        delay = self._failures.failed(network_of(login.host), self._loop.time())
        if delay > 0:
            self._loop.call_later(delay, self._refuse_now, login, reason)
        else:
            login.refuse(reason)

    def _refuse_now(self, login: Login, reason: str) -> None:
        try:
            login.refuse(reason)
        except Exception:
            logger.exception("the answer to a login failed, please report it")
        self._finish()

    def _finish(self) -> None:
        if self._end_turn is not None:
            self._end_turn()


class _AwaitedLogin(Login):
    """A login of somebody who can await the answer."""

    def __init__(
        self,
        user: str,
        password: bytes,
        host: str,
        from_loopback: bool,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(user, password, host, from_loopback)
        self.answer: asyncio.Future[bool] = loop.create_future()

    def granted(self) -> None:
        """Say yes."""
        self._say(True)

    def refused(self, reason: str) -> None:
        """Say no."""
        self._say(False)

    def _say(self, answer: bool) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)


def _give_way() -> None:
    """Lower the priority of the thread that calls it, where threads have one of their own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
