"""Users: made, changed, shown, deleted; passwords and hashes."""

import pytest
from tests.management.cases import NOT_FOUND, Case, bad, play
from tests.management.conftest import Common

U = "/users/$V-user"
HASH = "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"  # of the password test12


def logs_in(common: Common, password: str) -> bool:
    api = common.api.as_user(f"{common.vhost}-user", password)
    return api.ask("GET", "/api/whoami").status == 200


def test_user_is_made_changed_and_deleted(common: Common) -> None:
    play(
        common,
        [
            Case("PUT", U, {"password": "x", "tags": "management"}, 201),
            Case("PUT", U, {"password": "x", "tags": "management"}, 204),
            Case("PUT", U, {"password": "x", "tags": ["management", "own"]}, 204),
        ],
    )
    shown = common.api.get(common.path(U))
    assert (shown["tags"], shown["limits"]) == (["management", "own"], {})
    assert logs_in(common, "x")
    assert not logs_in(common, "y")
    play(common, [Case("DELETE", U, None, 204), Case("DELETE", U, None, 404, NOT_FOUND)])
    assert not logs_in(common, "x")


@pytest.mark.parametrize("body", [{}, {"password_hash": ""}, {"password": ""}])
def test_without_a_password_nobody_can_log_in_with_one(common: Common, body: dict[str, str]) -> None:
    play(common, [Case("PUT", U, {"password_hash": HASH, "tags": "management"}, 201)])
    assert logs_in(common, "test12")
    play(common, [Case("PUT", U, {**body, "tags": "management"}, 204)])
    assert not logs_in(common, "test12")
    assert not logs_in(common, "")
    play(common, [Case("DELETE", U, None, 204)])


def test_hash_of_rabbitmq_is_understood(common: Common) -> None:
    body = {
        "password_hash": HASH,
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": "management",
    }
    play(common, [Case("PUT", U, body, 201)])
    assert common.api.get(common.path(U))["password_hash"] == HASH
    assert logs_in(common, "test12")
    play(common, [Case("DELETE", U, None, 204)])


def test_what_is_refused(common: Common) -> None:
    both = bad("both_password_and_password_hash_are_provided")
    play(
        common,
        [
            Case("PUT", U, {"password": "x"}, 400, bad("tags_not_present")),
            Case("PUT", U, b"", 400, bad("tags_not_present")),
            Case("PUT", U, {"password_hash": "!!", "tags": ""}, 400, bad(["not_base64", "!!"])),
            Case("PUT", U, {"password": "x", "password_hash": "", "tags": ""}, 400, both),
            Case("GET", "/users/nobody", None, 404, NOT_FOUND),
            Case("GET", "/users/nobody/permissions", None, 404, NOT_FOUND),
            Case("POST", "/users/bulk-delete", {"users": ["nobody"]}, 400, bad(["no_such_user", "nobody"])),
            Case("POST", "/users/bulk-delete", {}, 400, bad("[{key_missing,users}]")),
        ],
    )


def test_several_are_deleted_at_once(common: Common) -> None:
    names = [f"{common.vhost}-{letter}" for letter in "ab"]
    for name in names:
        common.api.put(f"/api/users/{name}", {"tags": ""})
    without = [user["name"] for user in common.api.get("/api/users/without-permissions")]
    assert set(names) <= set(without)
    common.api.post("/api/users/bulk-delete", {"users": names})
    assert not set(names) & {user["name"] for user in common.api.get("/api/users")}


def test_new_hashes_are_scrypt(ours: Common) -> None:
    path = ours.path(U)
    ours.api.put(path, {"password": "x", "tags": ""})
    assert ours.api.get(path)["hashing_algorithm"] == "scrypt"
    ours.api.delete(path)
