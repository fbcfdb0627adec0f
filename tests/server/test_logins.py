"""Who gets in, at once or after a hash in the thread, and that guessing is slow."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from supersoniq.auth.failures import FREE_MAX
from supersoniq.auth.passwords import BCRYPT, SCRYPT, SHA256, PasswordHash, hash_password
from supersoniq.auth.users import User, Users
from supersoniq.server.login_queue import JOBS_MAX
from supersoniq.server.logins import NOBODY, PasswordLogins
from supersoniq.session.logins import Login

PATIENCE = 30
# Hashes of "secret" that are computed beside the loop, but fast.
SLOW = PasswordHash(BCRYPT, "$2b$04$5N.PMHQqv8xYyzYPY1GpReYo/5I3wUYyQTTa9EoFVuP.4pGuxmVpO")
FAST = hash_password(b"secret", SHA256)


class NotedLogin(Login):
    """Keeps the answer, and waits for it."""

    def __init__(
        self,
        user: str = "slow",
        password: bytes | None = b"secret",
        host: str = "10.0.0.1",
        from_loopback: bool = False,
    ) -> None:
        super().__init__(user, password, host, from_loopback)
        self.answer = ""
        self._answered = asyncio.Event()

    def granted(self) -> None:
        self._say("granted")

    def refused(self, reason: str) -> None:
        self._say(reason)

    def _say(self, answer: str) -> None:
        self.answer = answer
        self._answered.set()

    async def wait(self) -> str:
        async with asyncio.timeout(PATIENCE):
            await self._answered.wait()
        return self.answer


class Desk:
    """The logins of a node with a user of each kind."""

    def __init__(self) -> None:
        self.turns = 0
        self.users = Users([User("slow", SLOW), User("fast", FAST), User("none"), User("guest", FAST)])
        self.logins = PasswordLogins(self.users, frozenset({"guest"}), SLOW)
        self.logins.start(asyncio.get_running_loop(), self._end_turn)

    def _end_turn(self) -> None:
        self.turns += 1

    def attempt(self, *claim: object, **more: object) -> NotedLogin:
        login = NotedLogin(*claim, **more)  # type: ignore[arg-type]  # as the test says
        self.logins.attempt(login)
        return login


def on_loop(test: Callable[[Desk], Coroutine[None, None, None]]) -> Callable[[], None]:
    """Run a test on a loop, with a desk."""

    def run() -> None:
        async def live() -> None:
            desk = Desk()
            try:
                await test(desk)
            finally:
                desk.logins.stop()

        asyncio.run(live())

    run.__name__ = test.__name__
    return run


@on_loop
async def test_fast_hash_is_verified_at_once(desk: Desk) -> None:
    assert desk.attempt("fast").answer == "granted"


@on_loop
async def test_slow_hash_is_computed_beside_the_loop_and_only_once(desk: Desk) -> None:
    login = desk.attempt("slow")
    assert login.answer == ""
    assert await login.wait() == "granted"
    assert desk.turns == 1
    assert desk.attempt("slow").answer == "granted"


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        ("slow", "the password is wrong"),
        ("fast", "the password is wrong"),
        ("none", "the user has no password"),
        ("nobody", "there is no such user"),
    ],
)
def test_wrong_password_takes_its_time_once_and_the_log_says_why(user: str, reason: str) -> None:
    @on_loop
    async def test(desk: Desk) -> None:
        login = desk.attempt(user, b"wrong")
        assert login.answer == ""
        assert await login.wait() == reason
        assert desk.attempt(user, b"wrong").answer == reason

    test()


@on_loop
async def test_empty_password_is_refused(desk: Desk) -> None:
    for user in ("slow", "fast", "none", "nobody"):
        assert desk.attempt(user, b"").answer == "the password is empty"


@on_loop
async def test_loopback_user_may_come_from_this_machine_only(desk: Desk) -> None:
    assert desk.attempt("guest", from_loopback=True).answer == "granted"
    assert desk.attempt("guest").answer == "the user may come from this machine only"
    assert desk.attempt("guest", None).answer == "the user may come from this machine only"


@on_loop
async def test_certificate_lets_in_who_is_a_user(desk: Desk) -> None:
    assert desk.attempt("none", None).answer == "granted"
    assert desk.attempt("nobody", None).answer == "there is no such user"


@on_loop
async def test_logins_with_the_same_password_wait_for_the_same_hash(desk: Desk) -> None:
    logins = [desk.attempt("slow") for _ in range(100)]
    assert [await login.wait() for login in logins] == ["granted"] * 100
    assert desk.turns == 1


@on_loop
async def test_password_that_was_changed_meanwhile_is_wrong(desk: Desk) -> None:
    login = desk.attempt("slow")
    desk.users.put(User("slow", hash_password(b"other", SHA256)))
    assert await login.wait() == "the password is wrong"


@on_loop
async def test_remembered_password_is_worth_nothing_after_a_change(desk: Desk) -> None:
    await desk.attempt("slow").wait()
    desk.users.put(
        User("slow", PasswordHash(BCRYPT, "$2b$04$iqu0V.lwbfrF79gC.Hq8tuBYVx5R62Yl8oozyXG4vyraZ13A5l7ji"))
    )
    assert await desk.attempt("slow").wait() == "the password is wrong"
    desk.users.remove("slow")
    assert await desk.attempt("slow").wait() == "there is no such user"


@on_loop
async def test_nobody_waits_for_a_client_that_is_gone(desk: Desk) -> None:
    running = desk.attempt("nobody", b"first")
    gone = desk.attempt("nobody", b"second")
    gone.is_over = True
    assert await desk.attempt("slow", host="10.0.0.2").wait() == "granted"
    await running.wait()
    assert gone.answer == ""
    assert desk.attempt("nobody", b"second").answer == ""  # it was never computed


@on_loop
async def test_failures_of_one_address_are_answered_ever_later_and_others_at_once(desk: Desk) -> None:
    await desk.attempt("nobody", b"wrong").wait()
    for _ in range(FREE_MAX - 1):
        assert desk.attempt("nobody", b"wrong").answer
    slowed = desk.attempt("nobody", b"wrong")
    assert slowed.answer == ""
    assert desk.attempt("nobody", b"wrong", "10.0.0.2").answer
    assert desk.attempt("fast").answer == "granted"
    turns = desk.turns
    started = asyncio.get_running_loop().time()
    await slowed.wait()
    assert asyncio.get_running_loop().time() - started > 0.2
    assert desk.turns == turns + 1


@on_loop
async def test_passwords_that_wait_are_bounded(desk: Desk) -> None:
    logins = [desk.attempt("nobody", b"%d" % number, f"10.0.{number}.1") for number in range(JOBS_MAX + 1)]
    logins += [desk.attempt("nobody", b"%d" % number, "10.9.9.9") for number in range(1000, 1003)]
    dropped = [login for login in logins if login.answer]
    assert {login.answer for login in dropped} == {"too many logins wait for their passwords to be verified"}
    assert len(dropped) == len(logins) - JOBS_MAX - 1  # one is computed meanwhile


@on_loop
async def test_other_servers_may_ask_too(desk: Desk) -> None:
    for user in ("fast", "slow"):
        found = await desk.logins.check(user, b"secret", "10.0.0.1", False)
        assert found is desk.users.get(user)
    assert await desk.logins.check("slow", b"wrong", "10.0.0.1", False) is None


@on_loop
async def test_client_that_cannot_take_its_answer_hurts_no_other(desk: Desk) -> None:
    class BadLogin(NotedLogin):
        def granted(self) -> None:
            raise RuntimeError("a bug")

    bad = BadLogin()
    desk.logins.attempt(bad)
    good = desk.attempt("slow")
    assert await good.wait() == "granted"
    assert await desk.attempt("nobody", b"wrong").wait()


def test_answers_end_with_the_node() -> None:
    async def live() -> NotedLogin:
        desk = Desk()
        login = desk.attempt("nobody", b"wrong")
        desk.logins.stop()
        await asyncio.sleep(0)
        return login

    assert asyncio.run(live()).answer == ""


def test_nobody_has_the_hash_that_takes_as_long_as_a_new_one() -> None:
    made = hash_password(b"x")
    assert NOBODY.algorithm == SCRYPT
    assert NOBODY.encoded.split("$")[1] == made.encoded.split("$")[1]
    assert len(NOBODY.encoded) == len(made.encoded)
