"""Distinguished names in RabbitMQ's writing of RFC 4514, which users of EXTERNAL are named by."""

from cryptography.x509 import Name, RelativeDistinguishedName
from cryptography.x509.oid import NameOID, ObjectIdentifier

# Those that RabbitMQ has a word for; the others are written as numbers.
_WORDS: dict[ObjectIdentifier, str] = {
    NameOID.COMMON_NAME: "CN",
    NameOID.COUNTRY_NAME: "C",
    NameOID.LOCALITY_NAME: "L",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.DOMAIN_COMPONENT: "DC",
    NameOID.USER_ID: "UID",
    NameOID.EMAIL_ADDRESS: "EMAILADDRESS",
    NameOID.SERIAL_NUMBER: "SERIALNUMBER",
    NameOID.SURNAME: "SN",
    NameOID.GIVEN_NAME: "GIVENNAME",
    NameOID.INITIALS: "INITIALS",
    NameOID.PSEUDONYM: "PSEUDONYM",
    NameOID.GENERATION_QUALIFIER: "GENERATIONQUALIFIER",
    NameOID.TITLE: "TITLE",
}


def distinguished_name(name: Name) -> str:
    """`CN=ann,O=shop`: the last component first, and every octet that is not plain ASCII as `\\C3`."""
    return ",".join(_component(rdn) for rdn in reversed(name.rdns))


def _component(rdn: RelativeDistinguishedName) -> str:
    return "+".join(
        f"{_WORDS.get(attribute.oid, attribute.oid.dotted_string)}={_escaped(attribute.value)}"
        for attribute in rdn
    )


def _escaped(value: str | bytes) -> str:
    octets = value.encode() if isinstance(value, str) else value
    written = [_octet(octet) for octet in octets]
    if octets[:1] in (b" ", b"#"):
        written[0] = "\\" + chr(octets[0])
    if octets[-1:] == b" ":
        written[-1] = "\\ "
    return "".join(written)


def _octet(octet: int) -> str:
    if octet in b',+"\\<>;':
        return "\\" + chr(octet)
    return chr(octet) if 32 <= octet < 126 else f"\\{octet:02X}"
