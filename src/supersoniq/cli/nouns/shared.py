"""Words that several nouns take, and how their texts become values."""

import json
import sys
from collections.abc import Sequence
from typing import Annotated, Any

from supersoniq.cli.remote.call import Failed, WrongUse
from supersoniq.cli.remote.words import Argument, Option

Vhost = Annotated[
    str, Option(("--vhost", "-p"), "The virtual host; / when not given.", "VHOST", (), "vhosts")
]
AnyVhost = Annotated[
    str | None, Option(("--vhost", "-p"), "Only those of this virtual host.", "VHOST", (), "vhosts")
]
Yes = Annotated[bool, Option(("--yes", "-y"), "Do not ask.")]
Arguments = Annotated[
    Sequence[str],
    Option(("--argument", "-a"), "An argument, as in x-max-length=100; may be given several times.", "K=V"),
]
QueueName = Annotated[str, Argument("QUEUE", "The queue.", "queues")]
ExchangeName = Annotated[str, Argument("EXCHANGE", "The exchange.", "exchanges")]
UserName = Annotated[str, Argument("USER", "The user.", "users")]


def with_vhost(*parts: str, vhost: str | None) -> list[str]:
    """The path of a listing, of one virtual host or of all."""
    return [*parts] if vhost is None else [*parts, vhost]


def pairs(texts: Sequence[str]) -> dict[str, Any]:
    """The object that `k=v` texts make; a value that is JSON is that, another one is a text."""
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise WrongUse(f"expected name=value, not {text}")
        values[name] = value_of(value)
    return values


def value_of(text: str) -> Any:
    """The JSON that a text is, or the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def json_of(text: str, what: str) -> Any:
    """The JSON that a text has to be; raises WrongUse."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise WrongUse(f"the {what} is not JSON: {error}") from None


def object_of(text: str, what: str) -> dict[str, Any]:
    """The JSON object that a text has to be; raises WrongUse."""
    value = json_of(text, what)
    if not isinstance(value, dict):
        raise WrongUse(f"the {what} is not a JSON object")
    return value


def password_of(user: str, given: str | None) -> str:
    """A password: the one given, or from the terminal, or the first line of standard input."""
    if given is not None:
        return given
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    from getpass import getpass

    password = getpass(f"Password of {user}: ")
    if getpass("The same again: ") != password:
        raise Failed("the passwords are not the same: nothing was done")
    return password


def read_file(name: str) -> bytes:
    """What is in a file, or on standard input for `-`; raises Failed."""
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        with open(name, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise Failed(f"{name} cannot be read: {(error.strerror or str(error)).lower()}") from None
