"""A login is decided once."""

from supersoniq.session.logins import Login


class NotedLogin(Login):
    def __init__(self) -> None:
        super().__init__("ann", b"secret", "127.0.0.1", True)
        self.log: list[str] = []

    def granted(self) -> None:
        self.log.append("granted")

    def refused(self, reason: str) -> None:
        self.log.append(f"refused: {reason}")


def test_first_decision_counts() -> None:
    login = NotedLogin()
    login.grant()
    login.refuse("too late")
    assert login.log == ["granted"]
    assert login.is_over


def test_refusal_has_a_reason() -> None:
    login = NotedLogin()
    login.refuse("why not")
    login.grant()
    assert login.log == ["refused: why not"]


def test_decision_about_a_client_that_is_gone_is_no_news() -> None:
    login = NotedLogin()
    login.is_over = True
    login.grant()
    login.refuse("why not")
    assert login.log == []
