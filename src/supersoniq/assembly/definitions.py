"""The file of definitions that a node loads at its start."""

import logging
from pathlib import Path

from supersoniq.config import ConfigError
from supersoniq.control.actor import NODE
from supersoniq.control.administration import Administration
from supersoniq.definitions_file.document import DocumentError, read_document
from supersoniq.definitions_file.importing import Import
from supersoniq.definitions_file.leftovers import lines_of
from supersoniq.definitions_file.passwords import password_hashes

logger = logging.getLogger(__name__)


class DefinitionsFile:
    """One file, which has been read and understood; raises ConfigError if it cannot be."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._document = read_document(path)
        except DocumentError as error:
            raise self._wrong(error) from error

    @property
    def has_users(self) -> bool:
        """Whether somebody of it can log in with a password."""
        return any(part.has_password for part in self._document.users)

    @property
    def has_permissions(self) -> bool:
        """Whether it says who may do what."""
        return bool(self._document.permissions)

    def load(self, administration: Administration) -> None:
        """Have what it says; raises ConfigError with nothing of it loaded."""
        known = {user.name: user.password for user in administration.users}
        try:
            hashes = password_hashes(self._document, known)
            imported = Import(administration, self._document, hashes).run(NODE)
        except DocumentError as error:
            raise self._wrong(error) from error
        for line in lines_of(imported.leftovers):
            logger.warning("definitions: left out: %s", line)

    def _wrong(self, error: DocumentError) -> ConfigError:
        return ConfigError(f"definitions file {self._path}: {error}")
