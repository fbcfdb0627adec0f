"""The settings of a node: what they are, and where each value came from.

Later ones win: defaults, the TOML file, `SUPERSONIQ_*` in the environment, flags of the command line. A
file or variable that says something unknown is as wrong as a bad value: both are a `ConfigError` of one
line.
"""

import difflib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

PREFIX = "SUPERSONIQ_"
DEFAULT_FILE = "supersoniq.toml"
# Read by setup.py while the package is built; they say nothing about a node.
BUILD_VARIABLES = frozenset({"SUPERSONIQ_PURE", "SUPERSONIQ_COMPILED"})
# Less than this and a queue would go to the disk for every few messages.
QUEUE_MEMORY_BYTES_MIN = 64 * 1024

LogLevel = Literal["debug", "info", "warning", "error", "critical"]

# As many digits as there are bytes to count: more would not fit into a float.
_SIZE = re.compile(r"(?P<number>\d{1,18}(\.\d{1,18})?)\s*(?P<unit>%|[kmgt]?i?b?)", re.IGNORECASE)
_UNIT_BYTES = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


class ConfigError(Exception):
    """A setting cannot be used. Its text is one line: key, value, place, expectation; never a password."""


def memory_bytes(limit: str, total_bytes: int) -> int:
    """The bytes that a `memory_limit` means on a machine with `total_bytes`; 0 is no limit.

    Accepts a share (`40%`), bytes (`1500000`) or a unit (`512MiB`, `2g`; all are powers of 1024).
    Raises ValueError for anything else.
    """
    match = _SIZE.fullmatch(limit.strip())
    if match is None:
        raise ValueError("expected a share of memory (40%), a size (2GiB), or 0 for no limit")
    if match["unit"] != "%":
        return _bytes_of(match)
    number = float(match["number"])
    if number > 100:
        raise ValueError("expected at most 100%")
    return int(total_bytes * number / 100)


def size_bytes(size: str) -> int:
    """The bytes that a setting such as `disk_free_limit` means: `1500000`, or with a unit `50MB`, `2g`.

    Raises ValueError for anything else.
    """
    match = _SIZE.fullmatch(size.strip())
    if match is None or match["unit"] == "%":
        raise ValueError("expected a size (50MB, 2GiB) or a number of bytes")
    return _bytes_of(match)


def _bytes_of(match: re.Match[str]) -> int:
    """All units are powers of 1024, with or without the `i`."""
    return int(float(match["number"]) * _UNIT_BYTES[match["unit"].lower().rstrip("ib")])


def _words(value: object) -> object:
    """A list from `a,b` or a JSON list; anything else as it came."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return _json(value)
    return [word.strip() for word in value.split(",") if word.strip()]


def _pairs(value: object) -> object:
    """A table from `name:value,name:value` or a JSON object; anything else as it came."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("{"):
        return _json(value)
    pairs = [pair.partition(":") for pair in value.split(",") if pair.strip()]
    if not all(colon for _, colon, _ in pairs):
        raise ValueError("expected name:value,name:value or a JSON object")
    return {name.strip(): text for name, _, text in pairs}


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"expected JSON: {error.msg} at column {error.colno}") from None


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _existing_directory(path: Path) -> Path:
    path = path.expanduser()
    if path.exists() and not path.is_dir():
        raise ValueError("expected a directory, found a file")
    return path


def _existing_file(path: Path) -> Path:
    path = path.expanduser()
    if not path.is_file():
        raise ValueError("expected a file, found " + ("something else" if path.exists() else "nothing"))
    return path


def _written(value: object) -> object:
    """A size as text, also where TOML has a number; anything else as it came."""
    return str(value) if isinstance(value, int) else value


def _memory_limit(limit: str) -> str:
    memory_bytes(limit, 0)
    return limit


def _size(size: str) -> str:
    size_bytes(size)
    return size


def _switch(value: object) -> object:
    """`on` and `off`, where a file says true and false."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return {"true": "on", "false": "off"}.get(text := str(value).lower(), text)


def _queue_memory(size: str) -> str:
    if size_bytes(size) < QUEUE_MEMORY_BYTES_MIN:
        raise ValueError(f"expected at least {QUEUE_MEMORY_BYTES_MIN >> 10}KiB")
    return size


def _bytes(value: object) -> object:
    """The number that a size means; anything else as it came."""
    return size_bytes(value) if isinstance(value, str) else value


Words = Annotated[list[str], BeforeValidator(_words)]
Level = Annotated[LogLevel, BeforeValidator(_lower)]


class Settings(BaseSettings):
    """What one node is told; frozen. Calling it reads neither file nor environment: `load` does."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: Words = Field(
        default=["127.0.0.1", "::1"],
        min_length=1,
        description="addresses to listen on; 0.0.0.0 and :: are all of them",
    )
    port: int = Field(
        default=5672, ge=0, le=65535, description="TCP port of AMQP; 0 takes a free one and logs it"
    )
    management: Annotated[Literal["on", "local", "off"], BeforeValidator(_switch)] = Field(
        default="on",
        description="the HTTP API: on, local: only by the socket in the data directory, or off",
    )
    management_host: Words = Field(default=[], description="addresses of the HTTP API; empty: those of AMQP")
    management_port: int = Field(
        default=15672, ge=0, le=65535, description="TCP port of the HTTP API; 0 takes a free one and logs it"
    )
    data_dir: Annotated[Path, AfterValidator(_existing_directory)] | None = Field(
        default=None,
        description="directory of this node's data; unset: supersoniq in the user's state directory",
    )
    users: Annotated[dict[str, SecretStr], BeforeValidator(_pairs)] = Field(
        default={"guest": SecretStr("guest")}, description="user names and their passwords"
    )
    loopback_users: Words = Field(
        default=["guest"], description="users that may log in from this machine only"
    )
    ssl_cert_login_from: Annotated[
        Literal["distinguished_name", "common_name", "subject_alternative_name"], BeforeValidator(_lower)
    ] = Field(
        default="distinguished_name",
        description="which name in a client's certificate is that of its user, with EXTERNAL",
    )
    ssl_cert_login_san_type: Annotated[
        Literal["dns", "email", "uri", "other_name"], BeforeValidator(_lower)
    ] = Field(default="dns", description="kind of alternative name that counts")
    ssl_cert_login_san_index: int = Field(
        default=0, ge=0, description="which alternative name of that kind counts, from 0"
    )
    vhosts: Words = Field(default=["/"], min_length=1, description="virtual hosts")
    load_definitions: Annotated[Path, AfterValidator(_existing_file)] | None = Field(
        default=None,
        description="file of definitions, as RabbitMQ exports them, that is loaded at every start",
    )
    default_queue_type: Annotated[Literal["classic", "quorum"], BeforeValidator(_lower)] = Field(
        default="classic", description="type of durable queues that are declared without one"
    )
    unroutable_queue: str = Field(
        default="", description="queue, in each virtual host, for what no queue takes; empty: none"
    )
    heartbeat_seconds: int = Field(
        default=60, ge=0, le=65535, description="heartbeat proposed to clients; 0 is none"
    )
    frame_max_bytes: int = Field(
        default=131072, ge=4096, le=2**31 - 1, description="largest frame proposed to clients"
    )
    channel_max: int = Field(default=2047, ge=1, le=65535, description="most channels per connection")
    message_bytes_max: int = Field(
        default=134217728, ge=0, le=536870912, description="largest message body accepted"
    )
    handshake_timeout_ms: int = Field(
        default=10000, ge=1, description="time a client has from connect to open"
    )
    consumer_timeout_ms: int = Field(
        default=0,
        ge=0,
        description="time in which a delivery has to be settled, or it goes back; 0 is for ever",
    )
    shutdown_grace_ms: int = Field(
        default=5000, ge=0, description="time clients have to close when the node stops"
    )
    memory_limit: Annotated[str, BeforeValidator(_written), AfterValidator(_memory_limit)] = Field(
        default="40%", description="memory above which publishers are blocked: 40%, 2GiB, bytes; 0 is never"
    )
    queue_memory: Annotated[str, BeforeValidator(_written), AfterValidator(_queue_memory)] = Field(
        default="16MiB",
        description="what one queue's messages may occupy in memory before its tail goes to disk",
    )
    disk_free_limit: Annotated[str, BeforeValidator(_written), AfterValidator(_size)] = Field(
        default="50MB",
        description="free space of the data directory below which publishers are blocked; 0 is never",
    )
    sync: Annotated[Literal["always", "interval", "never"], BeforeValidator(_lower)] = Field(
        default="always",
        description="when messages are forced to disk: always before their confirm, at an interval, or never",
    )
    sync_interval_ms: int = Field(
        default=200, ge=1, description="with sync = interval, time between two: a power cut may lose as much"
    )
    journal_file_bytes: Annotated[int, BeforeValidator(_bytes)] = Field(
        default=16777216, ge=65536, le=1073741824, description="size of one file of the journal: bytes, 16MiB"
    )
    event_vhost: str = Field(
        default="/", min_length=1, description="virtual host of the exchange amq.rabbitmq.event"
    )
    log_level: Level = Field(default="info", description="debug, info, warning, error or critical")
    log_format: Annotated[Literal["auto", "console", "json"], BeforeValidator(_lower)] = Field(
        default="auto", description="console, json, or auto: console on a terminal, else json"
    )
    log_levels: Annotated[dict[str, Level], BeforeValidator(_pairs)] = Field(
        default={}, description="levels of single loggers, as in supersoniq.session:debug"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments only: an embedded broker must not change with the environment of its host program."""
        return (init_settings,)


@dataclass(frozen=True)
class Loaded:
    """Settings, and for each key its origin: `default`, a file's path, `SUPERSONIQ_PORT`, or `--port`."""

    settings: Settings
    origins: dict[str, str]

    SECRETS: ClassVar[frozenset[str]] = frozenset({"users"})

    def shown(self) -> dict[str, Any]:
        """The values as JSON types, with every password masked."""
        return self.settings.model_dump(mode="json")


class EnvironmentSource(PydanticBaseSettingsSource):
    """`SUPERSONIQ_PORT=5673` and the like, from a mapping that need not be the process's own."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(Settings)
        self._environ = environ

    def get_field_value(self, field: object, field_name: str) -> tuple[str | None, str, bool]:
        """The variable's text, if it is set; fields parse text themselves."""
        return self._environ.get(_variable(field_name)), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Every variable that is ours by its name, known or not; the key is in lower case."""
        return {
            name.removeprefix(PREFIX).lower(): text
            for name, text in self._environ.items()
            if name.startswith(PREFIX) and name not in BUILD_VARIABLES and not _is_kubernetes_link(name, text)
        }


def load(
    flags: Mapping[str, object], environ: Mapping[str, str] | None = None, config_file: Path | None = None
) -> Loaded:
    """Put the sources together; a flag that is None or empty was not given.

    Without `config_file`, `supersoniq.toml` of the working directory is read if there is one.
    Raises ConfigError.
    """
    values: dict[str, Any] = {}
    origins = dict.fromkeys(Settings.model_fields, "default")
    path = config_file if config_file is not None else Path(DEFAULT_FILE)
    for key, value in _read_file(path, is_required=config_file is not None).items():
        if key not in Settings.model_fields:
            raise ConfigError(f"unknown setting {key} in {path}" + _hint(key, str))
        values[key] = value
        origins[key] = str(path)
    for key, value in EnvironmentSource(os.environ if environ is None else environ)().items():
        if key not in Settings.model_fields:
            raise ConfigError(f"unknown setting {_variable(key)}" + _hint(key, _variable))
        values[key] = value
        origins[key] = _variable(key)
    for key, value in flags.items():
        if value not in (None, [], ()):
            values[key] = value
            origins[key] = "--" + key.replace("_", "-")
    try:
        return Loaded(Settings(**values), origins)
    except ValidationError as error:
        raise ConfigError(_one_line(error, values, origins)) from None


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """Where data goes by default: `$XDG_STATE_HOME/supersoniq`, or below `~/.local/state`."""
    state = environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "supersoniq"


def _read_file(path: Path, is_required: bool) -> dict[str, Any]:
    if not path.is_file():
        if is_required:
            raise ConfigError(f"config file {path} {'is not a file' if path.exists() else 'does not exist'}")
        return {}
    try:
        return TomlConfigSettingsSource(Settings, path).toml_data
    except OSError as error:
        raise ConfigError(f"config file {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"config file {path} is not TOML: {error}") from None


def _variable(key: str) -> str:
    return PREFIX + key.upper()


def _is_kubernetes_link(name: str, text: str) -> bool:
    """Kubernetes tells every pod of a service `supersoniq`, as in SUPERSONIQ_PORT=tcp://10.0.0.1:5672."""
    return bool(re.match(r"SUPERSONIQ_(SERVICE_(HOST|PORT)|PORT_\d+_)", name)) or (
        name == "SUPERSONIQ_PORT" and text.startswith(("tcp://", "udp://"))
    )


def _hint(key: str, written: Callable[[str], str]) -> str:
    """What may have been meant by an unknown `key`, as it is `written` where it was found."""
    near = difflib.get_close_matches(key, Settings.model_fields, 1)
    return f": did you mean {written(near[0])}?" if near else "; `supersoniq config` lists the settings"


def _one_line(error: ValidationError, values: Mapping[str, Any], origins: Mapping[str, str]) -> str:
    """The first thing that is wrong: `port = 70000 (--port): expected less than or equal to 65535`."""
    first = error.errors(include_url=False, include_input=False)[0]
    key = str(first["loc"][0])
    message = first["msg"].removeprefix("Value error, ")
    message = re.sub(r"^(Input should be|List should have) ", "expected ", message)
    shown = "****" if key in Loaded.SECRETS else _shown(values[key])
    return f"{key} = {shown} ({origins[key]}): {message}"


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return " ".join(text.split()) if len(text) <= 80 else text[:77] + "..."
