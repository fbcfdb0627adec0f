"""What RabbitMQ has and nothing here needs: answers with which tools can go on."""

from tests.management.cases import NOT_FOUND, Case, bad, play
from tests.management.conftest import Common

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_what_is_there_in_both(common: Common) -> None:
    auth = {"enable_uaa": False, "uaa_client_id": "", "uaa_location": ""}
    play(
        common,
        [
            Case("GET", "/auth", None, 200, auth),
            Case("POST", "/rebalance/queues", {}, 204),
            Case("DELETE", "/reset/nope", None, 404, NOT_FOUND),
            Case("DELETE", "/auth/attempts/nope", None, 404, NOT_FOUND),
            Case("PUT", "/feature-flags/bogus/enable", {}, 400, bad("unsupported")),
            Case("GET", "/federation-links", None, 404, NOT_FOUND),
            Case("GET", "/shovels", None, 404, NOT_FOUND),
            Case("GET", "/stream/connections", None, 404, NOT_FOUND),
        ],
    )
    flags = common.api.get("/api/feature-flags")
    assert {"name", "desc", "doc_url", "state", "stability", "provided_by"} == set(flags[0])
    assert "quorum_queue" in [flag["name"] for flag in flags]


def test_form_logs_in(common: Common) -> None:
    nobody = common.api.as_user(None)
    for password, status in (("guest", 200), ("wrong", 401)):
        form = f"username=guest&password={password}".encode()
        assert nobody.ask("POST", "/api/login", form, **FORM).status == status


def test_logins_are_counted(common: Common) -> None:
    node = common.api.get("/api/overview?columns=node")["node"]
    shown = common.api.get(f"/api/auth/attempts/{node}")
    amqp = next(each for each in shown if each["protocol"] == "amqp091")
    assert amqp["auth_attempts"] == amqp["auth_attempts_failed"] + amqp["auth_attempts_succeeded"]
    assert common.api.get(f"/api/auth/attempts/{node}/source") == []
