"""Passwords are known again by digests that are good for one user, hash and process."""

from supersoniq.auth.passwords import SCRYPT, PasswordHash
from supersoniq.auth.remembered import WRONG_MAX, Remembered

HASH = PasswordHash(SCRYPT, "scrypt$one")
OTHER = PasswordHash(SCRYPT, "scrypt$other")


def test_right_password_is_known_again() -> None:
    remembered = Remembered()
    digest = remembered.digest("ann", HASH, b"secret")
    assert not remembered.is_right("ann", digest)
    remembered.note("ann", digest, True)
    assert remembered.is_right("ann", remembered.digest("ann", HASH, b"secret"))


def test_it_is_worth_nothing_with_another_password_hash_or_user() -> None:
    remembered = Remembered()
    remembered.note("ann", remembered.digest("ann", HASH, b"secret"), True)
    assert not remembered.is_right("ann", remembered.digest("ann", HASH, b"Secret"))
    assert not remembered.is_right("ann", remembered.digest("ann", OTHER, b"secret"))
    assert not remembered.is_right("bob", remembered.digest("bob", HASH, b"secret"))


def test_parts_of_a_digest_do_not_run_into_each_other() -> None:
    remembered = Remembered()
    one = remembered.digest("ann", PasswordHash(SCRYPT, "xy"), b"z")
    assert one != remembered.digest("annx", PasswordHash(SCRYPT, "y"), b"z")
    assert one != remembered.digest("ann", PasswordHash(SCRYPT, "x"), b"yz")


def test_wrong_passwords_are_known_again_until_too_many_came() -> None:
    remembered = Remembered()
    digests = [remembered.digest("ann", HASH, b"%d" % number) for number in range(WRONG_MAX + 1)]
    for digest in digests:
        remembered.note("ann", digest, False)
    assert not remembered.is_wrong(digests[0])
    assert all(remembered.is_wrong(digest) for digest in digests[1:])
    assert not remembered.is_right("ann", digests[1])


def test_passwords_of_removed_users_do_not_pile_up() -> None:
    remembered = Remembered()
    digest = remembered.digest("ann", HASH, b"secret")
    remembered.note("ann", digest, True)
    remembered.forget(1)
    assert remembered.is_right("ann", digest)
    remembered.note("bob", digest, True)
    remembered.forget(1)
    assert not remembered.is_right("ann", digest)


def test_digests_differ_between_processes() -> None:
    one, other = Remembered(), Remembered()
    assert one.digest("ann", HASH, b"secret") != other.digest("ann", HASH, b"secret")


def test_nothing_of_a_password_is_kept() -> None:
    remembered = Remembered()
    remembered.note("ann", remembered.digest("ann", HASH, b"secret"), True)
    remembered.note("ann", remembered.digest("ann", HASH, b"geheim"), False)
    kept = repr(vars(remembered))
    assert "secret" not in kept
    assert "geheim" not in kept
