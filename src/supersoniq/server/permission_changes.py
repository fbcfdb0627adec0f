"""Has connections feel a change of permissions with what they do next."""

from supersoniq.auth.permissions import Affected
from supersoniq.session.context import Context


class PermissionChanges(Affected):
    """Tells the sessions of one node."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def permissions_changed(self, vhost: str) -> None:
        """Have remembered answers, and the routes that were found with them, asked for again."""
        self._context.access_generation += 1
        concerned = self._context.vhosts.get(vhost)
        if concerned is not None:
            concerned.router.changed()
