"""Masking: values of operators may have passwords in them, which a log must not show."""

import re
from typing import Final

MASK: Final = "****"
_PASSWORD_IN_URI: Final = re.compile(r"(://[^:/@\s]*:)[^@/\s]*@")
_SECRET_NAME: Final = re.compile(r"password|passphrase|secret|token|credential", re.IGNORECASE)


def masked(value: object) -> object:
    """Return a value of JSON without passwords: those in URIs, and what is called one."""
    if isinstance(value, str):
        return _PASSWORD_IN_URI.sub(rf"\g<1>{MASK}@", value)
    if isinstance(value, list):
        return [masked(each) for each in value]
    if isinstance(value, dict):
        return {key: MASK if _SECRET_NAME.search(str(key)) else masked(each) for key, each in value.items()}
    return value
