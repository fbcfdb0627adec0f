"""The names of cipher suites: OpenSSL has one for the whole, RabbitMQ's API one for each part."""

import re
from typing import NamedTuple


class Suite(NamedTuple):
    """The parts of a cipher suite, as RabbitMQ's API shows them."""

    key_exchange: str
    cipher: str
    hash_name: str


_SUITE = re.compile(
    r"((?P<exchange>(EC)?DHE-(RSA|ECDSA))-)?(?P<cipher>[A-Z]+\d*(-(GCM|CCM8?|POLY1305))?)(-(?P<hash>SHA\d*))?"
)


def suite(name: str) -> Suite:
    """The parts of the suite that OpenSSL calls `name`, as in `ECDHE-RSA-AES256-GCM-SHA384`.

    With TLS 1.3, where the suite does not fix it, the key exchange is `any`. A cipher that authenticates has
    the hash `aead`.
    """
    if name.startswith("TLS_"):
        return Suite("any", name.removeprefix("TLS_").rpartition("_")[0].lower(), "aead")
    match = _SUITE.fullmatch(name)
    if match is None:
        return Suite("unknown", name.lower().replace("-", "_"), "unknown")
    exchange = match["exchange"] or "RSA"  # the only one that OpenSSL leaves out
    cipher = re.sub(r"(AES|CCM)(?=\d)", r"\1_", match["cipher"]).lower().replace("-", "_")
    is_aead = match["cipher"].count("-") > 0
    return Suite(
        exchange.lower().replace("-", "_"),
        cipher if is_aead else f"{cipher}_cbc",
        "aead" if is_aead else (match["hash"] or "").lower(),
    )
