"""Permissions and topic permissions: set, shown, taken away."""

from tests.management.cases import NOT_FOUND, Case, bad, play
from tests.management.conftest import Common

ALL = {"configure": ".*", "write": ".*", "read": ".*"}
TOPIC = {"exchange": "amq.topic", "write": "a", "read": "b"}
NO_END = bad("vhost_or_user_not_found")


def test_permissions_of_a_user_in_a_virtual_host(common: Common) -> None:
    user = common.user("management").user
    path = f"/permissions/$V/{user}"
    shown = {"user": user, "vhost": common.vhost, **ALL}
    play(
        common,
        [
            Case("GET", path, None, 404, NOT_FOUND),
            Case("PUT", path, ALL, 201),
            Case("PUT", path, ALL, 204),
            Case("GET", path, None, 200, shown),
            Case("GET", f"/users/{user}/permissions", None, 200, [shown]),
            Case("PUT", path, {"configure": ".*"}, 400, bad("[{key_missing,write},{key_missing,read}]")),
            Case("PUT", "/permissions/$V/nobody", ALL, 400, NO_END),
            Case("PUT", f"/permissions/nowhere/{user}", ALL, 400, NO_END),
            Case("DELETE", path, None, 204),
            Case("DELETE", path, None, 404, NOT_FOUND),
            Case("GET", "/vhosts/nowhere/permissions", None, 404, NOT_FOUND),
        ],
    )


def test_topic_permissions_of_a_user_in_a_virtual_host(common: Common) -> None:
    user = common.user("management").user
    path = f"/topic-permissions/$V/{user}"
    shown = {"user": user, "vhost": common.vhost, **TOPIC}
    other = {**TOPIC, "exchange": "other"}
    missing = bad("[{key_missing,exchange},{key_missing,write},{key_missing,read}]")
    play(
        common,
        [
            Case("GET", path, None, 404, NOT_FOUND),
            Case("PUT", path, TOPIC, 201),
            Case("PUT", path, TOPIC, 204),
            Case("PUT", path, other, 204),
            Case("GET", path, None, 200, [shown, {**shown, "exchange": "other"}]),
            Case("DELETE", path + "/other", None, 204),
            Case("GET", path + "/amq.topic", None, 200, [shown]),
            Case("GET", f"/users/{user}/topic-permissions", None, 200, [shown]),
            Case("GET", "/vhosts/$V/topic-permissions", None, 200, [shown]),
            Case("PUT", path, {}, 400, missing),
            Case("PUT", "/topic-permissions/$V/nobody", TOPIC, 400, NO_END),
            Case("DELETE", path, None, 204),
            Case("DELETE", path, None, 404, NOT_FOUND),
        ],
    )


def test_pattern_that_is_none_is_refused(ours: Common) -> None:
    """RabbitMQ has the same, with the text as a list of numbers."""
    for path, body in (("/permissions/$V/guest", ALL), ("/topic-permissions/$V/guest", TOPIC)):
        answer = ours.api.ask("PUT", ours.path(path), {**body, "write": "*"})
        assert answer.status == 400
        assert answer.value["reason"][:2] == ["invalid_regexp", "*"]
