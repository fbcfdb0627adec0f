"""Clear passwords become hashes, once."""

import json

from tests.control.site import HASH

from supersoniq.auth.passwords import MD5, hash_password, verify
from supersoniq.definitions_file.document import parse_document
from supersoniq.definitions_file.passwords import password_hashes

DOCUMENT = parse_document(
    json.dumps(
        {
            "users": [
                {"name": "clear", "password": "secret"},
                {"name": "hashed", "password": "ignored", "password_hash": "c2FsdA=="},
                {"name": "empty", "password": ""},
                {"name": "none"},
            ]
        }
    ).encode()
)


def test_clear_passwords_are_hashed_and_no_others() -> None:
    hashes = password_hashes(DOCUMENT, {"clear": HASH})
    assert list(hashes) == ["clear"]
    assert verify(b"secret", hashes["clear"])


def test_hash_that_fits_stays() -> None:
    known = hash_password(b"secret", MD5)
    assert password_hashes(DOCUMENT, {"clear": known, "none": None}) == {"clear": known}


def test_documents_do_not_show_passwords() -> None:
    assert "secret" not in repr(DOCUMENT)
    assert "c2FsdA" not in repr(DOCUMENT)
