"""Administration is what everybody changes a node with."""

from supersoniq.control.administration import Administration


def test_changes_say_who_wants_them() -> None:
    for name in ("put_vhost", "delete_user", "put_policy", "put_global_parameter"):
        names = getattr(Administration, name).__annotations__
        assert list(names)[-2] == "actor"
