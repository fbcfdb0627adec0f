"""The document: what a file of definitions may say, as RabbitMQ 3.x and 4.x and LavinMQ write it.

What is not understood is left out, but never what is understood and wrong.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from supersoniq.amqp.primitives import octets
from supersoniq.amqp.tables import DEPTH_MAX
from supersoniq.auth.passwords import SHA256

# The parts of a document that are in virtual hosts.
OF_VHOSTS = ("policies", "parameters", "exchanges", "queues", "bindings")


class DocumentError(Exception):
    """A file of definitions cannot be read or used; the text is one line."""


def _short(text: str) -> str:
    try:
        size = len(octets(text))
    except UnicodeEncodeError:
        raise ValueError("expected text that can be encoded") from None
    if size > 255:
        raise ValueError("expected at most 255 octets")
    return text


def _arguments(arguments: object) -> object:
    """Arguments are a map; an empty list is what some exporters write for none."""
    if arguments == []:
        return {}
    _check_value(arguments, 0)
    return arguments


def _check_value(value: object, depth: int) -> None:
    """Raise ValueError for what a field table cannot have."""
    if depth > DEPTH_MAX:
        raise ValueError(f"expected at most {DEPTH_MAX} levels")
    if isinstance(value, dict):
        for name, each in value.items():
            _short(name)
            _check_value(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _check_value(each, depth + 1)
    elif isinstance(value, str):
        try:
            octets(value)
        except UnicodeEncodeError:
            raise ValueError("expected text that can be encoded") from None
    elif isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        raise ValueError("expected integers of 64 bits")


def _tags(value: object) -> object:
    """Tags are a list, or a text with commas where the exporter is older."""
    if not isinstance(value, str):
        return value
    return [tag.strip() for tag in value.split(",") if tag.strip()]


def _map(value: object) -> object:
    """A map, also where RabbitMQ writes it as a list of pairs; anything else as it came."""
    if not isinstance(value, list):
        return value
    found: dict[str, object] = {}
    for each in value:
        is_named = isinstance(each, dict) and {"name", "value"} <= each.keys()
        pair = [each["name"], each["value"]] if is_named else each
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str):
            raise ValueError("expected a map, or a list of names and values")
        found[pair[0]] = pair[1]
    return found


Short = Annotated[str, AfterValidator(_short)]
Name = Annotated[str, Field(min_length=1), AfterValidator(_short)]
Tags = Annotated[list[str], BeforeValidator(_tags)]
Arguments = Annotated[dict[str, Any], BeforeValidator(_arguments)]
Map = Annotated[dict[str, Any], BeforeValidator(_map)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class MetadataPart(_Part):
    """What is said of a virtual host; None says nothing."""

    description: str | None = None
    tags: Tags | None = None
    default_queue_type: str | None = None
    tracing: bool | None = None


class VHostPart(MetadataPart):
    """A virtual host. Exporters write what is said of it here, in `metadata`, or both."""

    name: Name
    metadata: MetadataPart = MetadataPart()
    limits: Map = {}

    def said(self) -> MetadataPart:
        """Return what is said of it in either place."""
        here = self.model_dump(include=set(MetadataPart.model_fields), exclude_none=True)
        return MetadataPart(**{**self.metadata.model_dump(exclude_none=True), **here})


class HashPart(_Part):
    """A password hash that RabbitMQ does not have, beside what it reads."""

    password_hash: str = Field(min_length=1, repr=False)
    hashing_algorithm: str


class UserPart(_Part):
    """A user. One without tags or a password keeps those it has."""

    name: Name
    password: str | None = Field(default=None, repr=False)
    password_hash: str | None = Field(default=None, repr=False)
    hashing_algorithm: str = SHA256
    supersoniq_password: HashPart | None = None
    tags: Tags | None = None
    limits: Map = {}

    @property
    def has_password(self) -> bool:
        """Whether the user can log in with one."""
        return bool(self.password or self.password_hash or self.supersoniq_password)


class PermissionPart(_Part):
    """What a user may do in a virtual host."""

    user: str
    vhost: str
    configure: str
    write: str
    read: str


class TopicPermissionPart(_Part):
    """Which routing keys of an exchange a user may use."""

    user: str
    vhost: str
    exchange: Short
    write: str
    read: str


class GlobalParameterPart(_Part):
    """A value of the whole cluster."""

    name: Name
    value: Any = None


class PolicyPart(_Part):
    """A policy; what it says is checked when it is made."""

    name: str
    vhost: str
    pattern: Any
    apply_to: Any = Field(default="all", alias="apply-to")
    definition: Map
    priority: Any = 0


class ParameterPart(_Part):
    """A parameter of a component, among them limits and operator policies."""

    component: str
    name: str
    vhost: str
    value: Any = None

    def policy(self) -> PolicyPart:
        """Return the operator policy that it is; raises DocumentError."""
        values = self.value if isinstance(self.value, dict) else {}
        try:
            return PolicyPart.model_validate({**values, "name": self.name, "vhost": self.vhost})
        except ValidationError as error:
            raise DocumentError("value." + _one_line(error)) from None

    def limits(self) -> dict[str, Any]:
        """Return the limits that it sets; raises DocumentError."""
        try:
            return TypeAdapter(Map).validate_python(self.value)
        except ValidationError as error:
            raise DocumentError("value: " + _one_line(error).removeprefix(": ")) from None


class ExchangePart(_Part):
    """An exchange."""

    name: Short
    vhost: str
    type: str
    durable: bool
    auto_delete: bool = False
    internal: bool = False
    arguments: Arguments = {}


class QueuePart(_Part):
    """A queue; `type` is what RabbitMQ 4 writes beside the argument."""

    name: Name
    vhost: str
    durable: bool
    auto_delete: bool = False
    arguments: Arguments = {}
    type: str | None = None


class BindingPart(_Part):
    """A binding."""

    source: Short
    vhost: str
    destination: Name
    destination_type: Literal["queue", "exchange"]
    routing_key: Short
    arguments: Arguments = {}


class Document(_Part):
    """All of a file."""

    vhosts: list[VHostPart] = []
    users: list[UserPart] = []
    permissions: list[PermissionPart] = []
    topic_permissions: list[TopicPermissionPart] = []
    global_parameters: list[GlobalParameterPart] = []
    policies: list[PolicyPart] = []
    parameters: list[ParameterPart] = []
    exchanges: list[ExchangePart] = []
    queues: list[QueuePart] = []
    bindings: list[BindingPart] = []


def read_document(path: Path) -> Document:
    """Read a file; raises DocumentError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror}") from None
    return parse_document(data)


def parse_document(data: bytes, vhost: str | None = None) -> Document:
    """Read the octets of a file; raises DocumentError.

    With a virtual host all that a virtual host has is for that one, whatever the file says, and the rest of
    the file counts for nothing.
    """
    try:
        values = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno} column {error.colno}"
        raise DocumentError(f"not JSON: {error.msg} at {line}") from None
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"not JSON: {error}") from None
    if not isinstance(values, dict):
        raise DocumentError("not a JSON object")
    if vhost is not None:
        values = {name: _placed(values[name], vhost) for name in OF_VHOSTS if name in values}
    try:
        return Document.model_validate(values)
    except ValidationError as error:
        raise DocumentError(_one_line(error)) from None


def _placed(parts: object, vhost: str) -> object:
    """The same parts in a virtual host; what is no list of parts as it came."""
    if not isinstance(parts, list):
        return parts
    return [{**part, "vhost": vhost} if isinstance(part, dict) else part for part in parts]


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _one_line(error: ValidationError) -> str:
    """The first thing that is wrong, as in `queues[3].durable: expected a valid boolean`."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ""
    for step in first["loc"]:
        place += f"[{step}]" if isinstance(step, int) else f".{step}"
    message = first["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    return f"{place.removeprefix('.')}: {message[:1].lower()}{message[1:]}"
