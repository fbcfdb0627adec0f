"""The settings of a node: what they are, and where each value came from.

Later ones win: defaults, RabbitMQ's own file, the TOML file, the environment, flags of the command line. A
file of ours or a variable that says something unknown is as wrong as a bad value: both are a `ConfigError` of
one line.
"""

import difflib
import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, SecretStr, ValidationError

from supersoniq.settings.rabbitmq_conf import RabbitMQConf
from supersoniq.settings.rabbitmq_file import RabbitMQConfError
from supersoniq.settings.tls import TLSSettings
from supersoniq.settings.values import (
    Bytes,
    ExistingDirectory,
    ExistingFile,
    FileOrSwitch,
    Level,
    Lower,
    MemoryLimit,
    Networks,
    Pairs,
    QueueMemory,
    Size,
    Switch,
    Words,
)

PREFIX = "SUPERSONIQ_"
DEFAULT_FILE = "supersoniq.toml"
# What containers of RabbitMQ are told.
RABBITMQ_VARIABLES = {
    "RABBITMQ_DEFAULT_USER": "default_user",
    "RABBITMQ_DEFAULT_PASS": "default_pass",
    "RABBITMQ_DEFAULT_VHOST": "default_vhost",
}
# Read by setup.py while the package is built, and by commands that ask a node: no settings of one.
OTHER_VARIABLES = frozenset({"SUPERSONIQ_PURE", "SUPERSONIQ_COMPILED", "SUPERSONIQ_URL"})


class ConfigError(Exception):
    """A setting cannot be used. Its text is one line: key, value, place, expectation; never a password."""


class Settings(TLSSettings):
    """What one node is told; frozen. Calling it reads neither file nor environment: `load` does."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    amqp: Annotated[Literal["on", "off"], Switch] = Field(
        default="on", description="AMQP without TLS: on, or off"
    )
    host: Words = Field(
        default=["127.0.0.1", "::1"],
        min_length=1,
        description="addresses to listen on; 0.0.0.0 and :: are all of them",
    )
    port: int = Field(
        default=5672, ge=0, le=65535, description="TCP port of AMQP; 0 takes a free one and logs it"
    )
    management: Annotated[Literal["on", "local", "off"], Switch] = Field(
        default="on",
        description="the HTTP API: on, local: only by the socket in the data directory, or off",
    )
    management_host: Words = Field(default=[], description="addresses of the HTTP API; empty: those of AMQP")
    management_port: int = Field(
        default=15672, ge=0, le=65535, description="TCP port of the HTTP API; 0 takes a free one and logs it"
    )
    proxy_protocol: Networks = Field(
        default=[],
        description="proxies: what comes to AMQP from these addresses begins with a PROXY header",
    )
    cluster_name: str = Field(
        default="", description="name that clients are told until an operator sets one; empty: the node's"
    )
    rabbitmq_conf: Path | None = Field(
        default=None,
        description="rabbitmq.conf of RabbitMQ, or a directory of such files; our own settings win",
    )
    prometheus: Annotated[Literal["on", "off"], Switch] = Field(
        default="on", description="the HTTP listener for Prometheus: on or off"
    )
    prometheus_host: Words = Field(default=[], description="its addresses; empty: those of AMQP")
    prometheus_port: int = Field(
        default=15692, ge=0, le=65535, description="its TCP port; 0 takes a free one and logs it"
    )
    data_dir: ExistingDirectory | None = Field(
        default=None,
        description="directory of this node's data; unset: supersoniq in the user's state directory",
    )
    users: Annotated[dict[str, SecretStr], Pairs] = Field(
        default={}, description="administrators, by name, and their passwords; empty: the default user"
    )
    default_user: str = Field(
        default="guest", min_length=1, description="name of the user that there is from the first start on"
    )
    default_pass: SecretStr = Field(default=SecretStr("guest"), description="its password")
    default_user_file: ExistingFile | None = Field(
        default=None, description="file with its name, which counts before default_user"
    )
    default_pass_file: ExistingFile | None = Field(
        default=None, description="file with its password, which counts before default_pass"
    )
    default_user_tags: Words = Field(default=["administrator"], description="its tags")
    default_permissions: Words = Field(
        default=[".*", ".*", ".*"],
        min_length=3,
        max_length=3,
        description="what it may configure, write and read: three patterns",
    )
    default_vhost: str = Field(
        default="/", min_length=1, description="virtual host that there is from the first start on"
    )
    loopback_users: Words = Field(
        default=["guest"], description="users that may log in from this machine only"
    )
    ssl_cert_login_from: Annotated[
        Literal["distinguished_name", "common_name", "subject_alternative_name"], Lower
    ] = Field(
        default="distinguished_name",
        description="which name in a client's certificate is that of its user, with EXTERNAL",
    )
    ssl_cert_login_san_type: Annotated[Literal["dns", "email", "uri", "other_name"], Lower] = Field(
        default="dns", description="kind of alternative name that counts"
    )
    ssl_cert_login_san_index: int = Field(
        default=0, ge=0, description="which alternative name of that kind counts, from 0"
    )
    vhosts: Words = Field(default=[], description="virtual hosts; empty: the default one")
    load_definitions: ExistingFile | None = Field(
        default=None,
        description="file of definitions, as RabbitMQ exports them, that is loaded at every start",
    )
    default_queue_type: Annotated[Literal["classic", "quorum"], Lower] = Field(
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
    memory_limit: MemoryLimit = Field(
        default="40%", description="memory above which publishers are blocked: 40%, 2GiB, bytes; 0 is never"
    )
    queue_memory: QueueMemory = Field(
        default="16MiB",
        description="what one queue's messages may occupy in memory before its tail goes to disk",
    )
    disk_free_limit: Size = Field(
        default="50MB",
        description="free space of the data directory below which publishers are blocked; 0 is never",
    )
    sync: Annotated[Literal["always", "interval", "never"], Lower] = Field(
        default="always",
        description="when messages are forced to disk: always before their confirm, at an interval, or never",
    )
    sync_interval_ms: int = Field(
        default=200, ge=1, description="with sync = interval, time between two: a power cut may lose as much"
    )
    journal_file_bytes: Bytes = Field(
        default=16777216, ge=65536, le=1073741824, description="size of one file of the journal: bytes, 16MiB"
    )
    event_vhost: str = Field(
        default="/", min_length=1, description="virtual host of the exchange amq.rabbitmq.event"
    )
    audit_log: FileOrSwitch = Field(
        default="off", description="audit log: off, on (audit.log in the data directory), or a file"
    )
    audit_log_bytes_max: Bytes = Field(
        default=67108864, ge=0, description="size at which the audit log begins a new file; 0 is never"
    )
    audit_log_files: int = Field(default=8, ge=1, le=1000, description="files of the audit log that are kept")
    loop_stall_ms: int = Field(
        default=20, ge=0, description="standstill of the event loop that is counted and logged; 0 is none"
    )
    log_level: Level = Field(default="info", description="debug, info, warning, error or critical")
    log_format: Annotated[Literal["auto", "console", "json"], Lower] = Field(
        default="auto", description="console, json, or auto: console on a terminal, else json"
    )
    log_levels: Annotated[dict[str, Level], Pairs] = Field(
        default={}, description="levels of single loggers, as in supersoniq.session:debug"
    )


@dataclass(frozen=True)
class Loaded:
    """Settings, and for each key its origin: `default`, a file's path, `SUPERSONIQ_PORT`, or `--port`."""

    settings: Settings
    origins: dict[str, str]
    # What stands in rabbitmq.conf and is not honoured, one line each.
    notes: list[str] = field(default_factory=list)

    SECRETS: ClassVar[frozenset[str]] = frozenset(
        {"users", "default_pass", "tls_key_password", "tls_certificates"}
    )

    def shown(self) -> dict[str, Any]:
        """The values as JSON types, with every password masked."""
        return self.settings.model_dump(mode="json")


def _variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The texts of every variable that is ours by its name, known or not; the key is in lower case."""
    return {
        name.removeprefix(PREFIX).lower(): text
        for name, text in environ.items()
        if name.startswith(PREFIX) and name not in OTHER_VARIABLES and not _is_kubernetes_link(name, text)
    }


def load(
    flags: Mapping[str, object], environ: Mapping[str, str] | None = None, config_file: Path | None = None
) -> Loaded:
    """Put the sources together; a flag that is None or empty was not given.

    Without `config_file`, `supersoniq.toml` of the working directory is read if there is one.
    Raises ConfigError.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    origins = dict.fromkeys(Settings.model_fields, "default")
    path = config_file if config_file is not None else Path(DEFAULT_FILE)
    for key, value in _read_file(path, is_required=config_file is not None).items():
        if key not in Settings.model_fields:
            raise ConfigError(f"unknown setting {key} in {path}" + _hint(key, str))
        values[key] = value
        origins[key] = str(path)
    for name, key in RABBITMQ_VARIABLES.items():
        if name in environ:
            values[key] = environ[name]
            origins[key] = name
    for key, value in _variables(environ).items():
        if key not in Settings.model_fields:
            raise ConfigError(f"unknown setting {_variable(key)}" + _hint(key, _variable))
        values[key] = value
        origins[key] = _variable(key)
    for key, value in flags.items():
        if value not in (None, [], ()):
            values[key] = value
            origins[key] = "--" + key.replace("_", "-")
    conf = _rabbitmq_conf(values, environ)
    values = conf.values | values
    origins |= {key: place for key, place in conf.origins.items() if origins[key] == "default"}
    try:
        return Loaded(Settings(**values), origins, conf.notes)
    except ValidationError as error:
        raise ConfigError(_one_line(error, values, origins)) from None


def _rabbitmq_conf(values: Mapping[str, Any], environ: Mapping[str, str]) -> RabbitMQConf:
    """What stands in RabbitMQ's configuration, if a setting names it."""
    path = values.get("rabbitmq_conf")
    try:
        return RabbitMQConf(None if path is None else Path(path).expanduser(), environ)
    except RabbitMQConfError as error:
        raise ConfigError(str(error)) from None


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
        return tomllib.loads(path.read_text(encoding="utf-8"))
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
