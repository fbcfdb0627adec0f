"""Parts of a node as those below `node.py` see them: what control asks of it, and what the settings bring."""

from collections.abc import Callable
from pathlib import Path

from supersoniq.auth.passwords import SCRYPT, SHA256, PasswordHash, hash_password
from supersoniq.auth.users import ADMINISTRATOR
from supersoniq.broker.counters import VHostCounters
from supersoniq.broker.vhost import VHost
from supersoniq.config import ConfigError, Settings
from supersoniq.control.first_start import FirstUser
from supersoniq.control.ports import NodeParts
from supersoniq.server.server import Server
from supersoniq.session.connection import Connection

MakeVHost = Callable[[str], VHost]

# What everybody knows is no secret, and need not be hashed as one.
KNOWN_PASSWORDS = frozenset({b"guest"})


class ControlledNode(NodeParts):
    """What control asks of a node. `server` is there as soon as clients can connect."""

    def __init__(
        self,
        make_vhost: MakeVHost,
        make_stage: MakeVHost,
        queue_type: str,
        tell_cluster_name: Callable[[str], None],
    ) -> None:
        self.server: Server | None = None
        self.gone_vhosts: VHostCounters | None = None  # what those have counted that are deleted
        self._make_vhost = make_vhost
        self._make_stage = make_stage
        self._queue_type = queue_type
        self._tell_cluster_name = tell_cluster_name

    def make_vhost(self, name: str) -> VHost:
        """Return a new one."""
        return self._make_vhost(name)

    def make_stage(self, name: str) -> VHost:
        """Return one that nobody sees."""
        return self._make_stage(name)

    def default_queue_type(self) -> str:
        """Return what the settings say."""
        return self._queue_type

    def close_connections_of_vhost(self, name: str, reason: str) -> None:
        """Close them; they are told at the end of the turn."""
        for connection in self._connections():
            vhost = connection.client.vhost
            if vhost is not None and vhost.name == name:
                connection.force_close(reason)

    def vhost_deleted(self, vhost: VHost) -> None:
        """Have what it has counted counted still."""
        if self.gone_vhosts is not None:
            self.gone_vhosts.absorb(vhost.counters)

    def close_connections_of_user(self, name: str, reason: str) -> None:
        """Close them; they are told at the end of the turn."""
        for connection in self._connections():
            if connection.client.user == name:
                connection.force_close(reason)

    def _connections(self) -> list[Connection]:
        if self.server is None:
            return []
        transports = list(self.server.transports)
        return [transport.connection for transport in transports if transport.connection is not None]

    def cluster_name_changed(self, name: str) -> None:
        """Tell whoever connects from now on."""
        self._tell_cluster_name(name)

    def end_turn(self) -> None:
        """Do the deferred work; before there is a server the start of the node does."""
        if self.server is not None:
            self.server.end_turn()


def first_vhosts(settings: Settings) -> list[str]:
    """Return the virtual hosts that the settings bring."""
    names = list(settings.vhosts)
    if not names or "default_vhost" in settings.model_fields_set:
        names.append(settings.default_vhost)
    return list(dict.fromkeys(names))


def first_users(settings: Settings, has_others: bool = False) -> list[FirstUser]:
    """Return the users that the settings bring; with others, not the default one that nobody asked for.

    Raises ConfigError where a file has no name or password.
    """
    tags, everything = frozenset({ADMINISTRATOR}), (".*", ".*", ".*")
    users = {
        name: FirstUser(name, password.get_secret_value().encode(), tags, everything)
        for name, password in settings.users.items()
    }
    asked_for = {"default_user", "default_pass", "default_user_file", "default_pass_file"}
    if asked_for & settings.model_fields_set or not (users or has_others):
        name = _written_in(settings.default_user_file) or settings.default_user
        password = _written_in(settings.default_pass_file) or settings.default_pass.get_secret_value()
        configure, write, read = settings.default_permissions
        tags = frozenset(settings.default_user_tags)
        users[name] = FirstUser(name, password.encode(), tags, (configure, write, read))
    return list(users.values())


def _written_in(path: Path | None) -> str:
    """Return the first line of a file, empty if there is no file."""
    if path is None:
        return ""
    try:
        line = path.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"file {path} cannot be read: {error}") from None
    if not line:
        raise ConfigError(f"file {path} is empty: expected one line")
    return line


def hash_of_first_user(is_stored: bool, password: bytes) -> PasswordHash:
    """Return the hash of a password that stands in the configuration anyway: slow only where it is stored."""
    algorithm = SCRYPT if is_stored and password not in KNOWN_PASSWORDS else SHA256
    return hash_password(password, algorithm)
