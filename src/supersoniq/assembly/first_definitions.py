"""What a node has before clients come: what the settings bring, and the definitions that they name."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from supersoniq.assembly.controlled import first_users, first_vhosts, hash_of_first_user
from supersoniq.config import Settings
from supersoniq.control.actor import NODE
from supersoniq.control.administration import Administration
from supersoniq.control.first_start import bring, permit
from supersoniq.control.parameters import CLUSTER_ID

if TYPE_CHECKING:
    from supersoniq.assembly.definitions import DefinitionsFile


def furnish(settings: Settings, administration: Administration) -> None:
    """Have it; raises ConfigError with nothing of the file loaded."""
    file = None if settings.load_definitions is None else _opened(settings.load_definitions)
    # The default user that nobody asked for is for a node without any.
    has_users = len(administration.users) > 0 or (file is not None and file.has_users)
    vhosts = first_vhosts(settings)
    new = [name for name in vhosts if name not in administration.configured["vhosts"]]
    is_stored = settings.data_dir is not None
    bring(
        administration,
        vhosts,
        first_users(settings, has_users),
        lambda password: hash_of_first_user(is_stored, password),
    )
    brought = administration.configured["users"]
    users = [user for user in first_users(settings) if user.name in brought]
    permit(administration, users, new)
    known = set(administration.vhosts)
    if file is not None:
        file.load(administration)
    if CLUSTER_ID not in administration.global_parameters:
        identity = f"supersoniq-cluster-id-{secrets.token_urlsafe(16)}"
        administration.put_global_parameter(CLUSTER_ID, identity, NODE)
    if file is None or not file.has_permissions:
        # Nobody could use the virtual hosts that the file has brought.
        permit(administration, users, [name for name in administration.vhosts if name not in known])


def _opened(path: Path) -> "DefinitionsFile":
    # What reads such files is not loaded where there is none: it takes some hundredths of a second.
    from supersoniq.assembly.definitions import DefinitionsFile

    return DefinitionsFile(path)
