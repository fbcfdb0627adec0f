"""What a node has before clients come: what the settings bring, and the definitions that they name."""

import logging
import secrets

from supersoniq.assembly.controlled import first_users, first_vhosts, hash_of_first_user
from supersoniq.config import ConfigError, Settings
from supersoniq.control.actor import NODE
from supersoniq.control.administration import Administration
from supersoniq.control.first_start import bring, permit
from supersoniq.control.parameters import CLUSTER_ID
from supersoniq.definitions_file.document import Document, DocumentError, read_document
from supersoniq.definitions_file.importing import Import
from supersoniq.definitions_file.leftovers import lines_of
from supersoniq.definitions_file.passwords import password_hashes

logger = logging.getLogger(__name__)


def furnish(settings: Settings, administration: Administration) -> None:
    """Have it; raises ConfigError with nothing of the file loaded."""
    path = settings.load_definitions
    try:
        document = Document() if path is None else read_document(path)
        # The default user that nobody asked for is for a node without any.
        has_users = len(administration.users) > 0 or any(part.has_password for part in document.users)
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
        if path is not None:
            _load(administration, document)
    except DocumentError as error:
        raise ConfigError(f"definitions file {path}: {error}") from error
    if CLUSTER_ID not in administration.global_parameters:
        identity = f"supersoniq-cluster-id-{secrets.token_urlsafe(16)}"
        administration.put_global_parameter(CLUSTER_ID, identity, NODE)
    if not document.permissions:
        # Nobody could use the virtual hosts that the file has brought.
        permit(administration, users, [name for name in administration.vhosts if name not in known])


def _load(administration: Administration, document: Document) -> None:
    known = {user.name: user.password for user in administration.users}
    imported = Import(administration, document, password_hashes(document, known)).run(NODE)
    for line in lines_of(imported.leftovers):
        logger.warning("definitions: left out: %s", line)
