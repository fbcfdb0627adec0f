"""Networks take turns, and the one with the most waiting gives way."""

from supersoniq.auth.passwords import SCRYPT, PasswordHash
from supersoniq.server.login_queue import JOBS_MAX, LoginJob, LoginQueue
from supersoniq.session.logins import Login


class QuietLogin(Login):
    def granted(self) -> None:
        raise AssertionError("not in these tests")

    def refused(self, reason: str) -> None:
        raise AssertionError("not in these tests")


def job(name: str) -> LoginJob:
    login = QuietLogin(name, b"secret", "10.0.0.1", False)
    return LoginJob(name.encode(), PasswordHash(SCRYPT, ""), login)


def taken(queue: LoginQueue) -> list[str]:
    found = []
    while (each := queue.take()) is not None:
        found.append(each.user)
    return found


def test_networks_take_turns() -> None:
    queue = LoginQueue()
    for network, name in (("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1"), ("b", "b2"), ("c", "c1")):
        assert queue.put(network, job(name)) is None
    assert len(queue) == 6
    assert taken(queue) == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert len(queue) == 0


def test_network_that_comes_later_has_its_turn_soon() -> None:
    queue = LoginQueue()
    for number in range(10):
        queue.put("a", job(f"a{number}"))
    queue.take()
    queue.put("b", job("b0"))
    assert "b0" in taken(queue)[:2]


def test_who_has_the_most_waiting_gives_way() -> None:
    queue = LoginQueue()
    for number in range(JOBS_MAX):
        assert queue.put("a", job(f"a{number}")) is None
    dropped = queue.put("b", job("b0"))
    assert dropped is not None
    assert dropped.user == f"a{JOBS_MAX - 1}"
    assert len(queue) == JOBS_MAX
    assert "b0" in taken(queue)


def test_job_is_wanted_as_long_as_anybody_waits() -> None:
    one = job("ann")
    other = QuietLogin("ann", b"secret", "10.0.0.2", False)
    one.logins.append(other)
    one.logins[0].is_over = True
    assert one.is_wanted
    other.is_over = True
    assert not one.is_wanted
