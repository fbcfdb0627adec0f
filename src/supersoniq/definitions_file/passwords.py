"""Clear passwords of a document: their hashes, made before anything is imported. It takes its time."""

from collections.abc import Mapping

from supersoniq.auth.passwords import PasswordHash, hash_password, verify
from supersoniq.definitions_file.document import Document


def password_hashes(document: Document, known: Mapping[str, PasswordHash | None]) -> dict[str, PasswordHash]:
    """Return the hashes of the clear passwords by the names of the users; to be called off the loop.

    `known` are the hashes that users have: one that fits stays, so that loading a file again changes nothing.
    """
    hashes: dict[str, PasswordHash] = {}
    for part in document.users:
        if part.password and not part.password_hash and part.supersoniq_password is None:
            password = part.password.encode("utf-8", "surrogateescape")
            had = known.get(part.name)
            hashes[part.name] = had if had and verify(password, had) else hash_password(password)
    return hashes
