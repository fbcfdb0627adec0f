"""Limits of virtual hosts and users: set, shown, removed, kept."""

from tests.management.cases import NO_VHOST, NOT_FOUND, Case, bad, play
from tests.management.conftest import Common

V = "/vhost-limits/$V"
NO_VALUE = bad("[{key_missing,value}]")


def test_limits_of_a_virtual_host(common: Common) -> None:
    number = 'Validation failed\n\nmax-queues should be a number, actually was <<"x">>\n'
    unknown = 'Validation failed\n\nUnrecognised terms [{<<"bogus">>,5}] in limits\n'
    play(
        common,
        [
            Case("GET", V, None, 200, []),
            Case("PUT", V + "/max-queues", {"value": 5}, 204),
            Case("GET", V, None, 200, [{"vhost": common.vhost, "value": {"max-queues": 5}}]),
            Case("PUT", V + "/max-queues", {}, 400, NO_VALUE),
            Case("PUT", V + "/max-queues", b"", 400, NO_VALUE),
            Case("PUT", V + "/max-queues", {"value": "x"}, 400, bad(number)),
            Case("PUT", V + "/bogus", {"value": 5}, 400, bad(unknown)),
            Case("PUT", "/vhost-limits/nowhere/max-queues", {"value": 5}, 404, NO_VHOST),
            Case("GET", "/vhost-limits/nowhere", None, 404, NOT_FOUND),
            Case("GET", V + "/max-queues", None, 405, b""),
            Case("DELETE", V + "/max-queues", None, 204),
            Case("DELETE", V + "/max-queues", None, 204),
            Case("GET", V, None, 200, []),
        ],
    )


def test_limits_of_a_user(common: Common) -> None:
    user = common.user("management").user
    path = f"/user-limits/{user}"
    number = 'max-channels should be a number, actually was <<"x">>'
    unknown = 'Unrecognised terms [{<<"bogus">>,5}] in user-limits'
    nobody = bad(["no_such_user", "nobody"])
    play(
        common,
        [
            Case("GET", path, None, 200, []),
            Case("PUT", path + "/max-channels", {"value": 5}, 204),
            Case("GET", path, None, 200, [{"user": user, "value": {"max-channels": 5}}]),
            Case("PUT", path + "/max-channels", {}, 400, NO_VALUE),
            Case("PUT", path + "/max-channels", {"value": "x"}, 400, bad(number)),
            Case("PUT", path + "/bogus", {"value": 5}, 400, bad(unknown)),
            Case("PUT", "/user-limits/nobody/max-channels", {"value": 5}, 400, nobody),
            Case("GET", "/user-limits/nobody", None, 404, NOT_FOUND),
            Case("DELETE", path + "/max-channels", None, 204),
            Case("GET", path, None, 200, []),
        ],
    )


def test_limit_is_kept(common: Common) -> None:
    play(
        common,
        [
            Case("PUT", V + "/max-queues", {"value": 1}, 204),
            Case("PUT", "/queues/$V/one", {}, 201),
            Case(
                "PUT",
                "/queues/$V/two",
                {},
                400,
                bad("cannot declare queue 'two': queue limit in vhost '$V' (1) is reached"),
            ),
        ],
    )
