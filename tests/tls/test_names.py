"""Distinguished names: what is expected here is what RabbitMQ 3.10 made of the same certificates."""

import pytest
from cryptography.x509 import Name, NameAttribute, RelativeDistinguishedName
from cryptography.x509.oid import NameOID, ObjectIdentifier

from supersoniq.tls.names import distinguished_name

Attribute = tuple[ObjectIdentifier, str]


def name(*components: tuple[Attribute, ...]) -> Name:
    return Name(
        [
            RelativeDistinguishedName([NameAttribute(oid, value) for oid, value in component])
            for component in components
        ]
    )


def test_last_component_is_first_and_unknown_ones_are_numbers() -> None:
    subject = name(
        ((NameOID.COUNTRY_NAME, "DE"),),
        ((NameOID.STATE_OR_PROVINCE_NAME, "Berlin"),),
        ((NameOID.ORGANIZATIONAL_UNIT_NAME, "u1"),),
        ((NameOID.ORGANIZATIONAL_UNIT_NAME, "u2"),),
        ((NameOID.DOMAIN_COMPONENT, "example"),),
        ((NameOID.EMAIL_ADDRESS, "a@b.c"),),
        ((NameOID.USER_ID, "uid1"),),
        ((NameOID.SERIAL_NUMBER, "12"),),
        ((NameOID.TITLE, "t"), (NameOID.SURNAME, "sn")),
        ((NameOID.GIVEN_NAME, "gn"),),
        ((NameOID.INITIALS, "ii"),),
        ((NameOID.PSEUDONYM, "ps"),),
        ((NameOID.GENERATION_QUALIFIER, "gq"),),
        ((NameOID.DN_QUALIFIER, "dq"),),
        ((NameOID.STREET_ADDRESS, "st"),),
        ((ObjectIdentifier("1.2.3.4"), "odd"),),
        ((NameOID.COMMON_NAME, "ann"),),
        ((NameOID.COMMON_NAME, "bob"),),
    )
    assert distinguished_name(subject) == (
        "CN=bob,CN=ann,1.2.3.4=odd,2.5.4.9=st,2.5.4.46=dq,GENERATIONQUALIFIER=gq,PSEUDONYM=ps,INITIALS=ii,"
        "GIVENNAME=gn,TITLE=t+SN=sn,SERIALNUMBER=12,UID=uid1,EMAILADDRESS=a@b.c,DC=example,OU=u2,OU=u1,"
        "ST=Berlin,C=DE"
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (' lead, plus+ "q" \\ <a> ; #x ', '\\ lead\\, plus\\+ \\"q\\" \\\\ \\<a\\> \\; #x\\ '),
        ("#Örg", "\\#\\C3\\96rg"),
        ("a~b\x7f}c\tq=r", "a\\7Eb\\7F}c\\09q=r"),
        ("日本", "\\E6\\97\\A5\\E6\\9C\\AC"),
        ("# x", "\\# x"),
        (" ", "\\ "),
    ],
)
def test_value_is_escaped(value: str, written: str) -> None:
    assert distinguished_name(name(((NameOID.ORGANIZATION_NAME, value),))) == f"O={written}"
