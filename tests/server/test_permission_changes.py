"""A change of permissions makes sessions ask again, and only in its virtual host route again."""

from tests.session.script import Node

from supersoniq.server.permission_changes import PermissionChanges


def test_sessions_and_routes_are_asked_for_again() -> None:
    node = Node()
    node.queue()
    route = node.vhost.route(b"\x00\x01q", b"")
    before = node.context.access_generation
    changes = PermissionChanges(node.context)
    changes.permissions_changed("another")
    assert route.current
    changes.permissions_changed("/")
    assert not route.current
    assert node.context.access_generation == before + 2
