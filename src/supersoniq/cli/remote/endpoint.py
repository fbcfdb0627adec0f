"""Where the management API of a node can be reached: at a URL, or at the socket in its data directory."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from supersoniq.cli.remote.http import Endpoint

SOCKET_NAME = "control.sock"
DEFAULT_PORT = 15672
URL_VARIABLE = "SUPERSONIQ_URL"


class WrongEndpoint(Exception):
    """What was given names no endpoint; the text is one line."""


class Where(NamedTuple):
    """What the command line says about the node; empty is nothing."""

    url: str = ""
    data_dir: str = ""
    config: str = ""
    ca_file: str = ""


def locate(where: Where, environ: Mapping[str, str]) -> Endpoint:
    """The endpoint by flags, environment, configuration file and default, in the order of `serve`.

    Raises WrongEndpoint.
    """
    url = where.url or ("" if where.data_dir else environ.get(URL_VARIABLE, ""))
    if url:
        return endpoint_of(url, where.ca_file)
    return Endpoint(path=os.path.join(data_dir_of(where, environ), SOCKET_NAME))


def data_dir_of(where: Where, environ: Mapping[str, str]) -> str:
    """The data directory that `serve` would use with the same flags; raises WrongEndpoint."""
    named = where.data_dir or environ.get("SUPERSONIQ_DATA_DIR") or _configured(where.config)
    if named:
        return os.path.expanduser(named)
    state = environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(state, "supersoniq")


def _configured(config: str) -> str:
    """The `data_dir` of the configuration file; empty when there is none."""
    path = config or "supersoniq.toml"
    if not os.path.isfile(path):
        if config:
            raise WrongEndpoint(f"config file {path} does not exist")
        return ""
    import tomllib

    try:
        with open(path, "rb") as stream:
            return str(tomllib.load(stream).get("data_dir", ""))
    except OSError as error:
        raise WrongEndpoint(f"config file {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise WrongEndpoint(f"config file {path} is not TOML: {error}") from None


def endpoint_of(url: str, ca_file: str = "") -> Endpoint:
    """The endpoint of `http://user:password@host:port/prefix`; raises WrongEndpoint.

    Without a password it is asked for on the terminal.
    """
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in ("http", "https") or not parts.hostname or port == -1:
        raise WrongEndpoint("expected a URL as in http://user:password@host:15672")
    authorization = ""
    if parts.username:
        user = unquote(parts.username)
        password = _asked(user) if parts.password is None else unquote(parts.password)
        authorization = _basic(user, password)
    return Endpoint(
        host=parts.hostname,
        port=DEFAULT_PORT if port is None else port,
        prefix=parts.path.rstrip("/").removesuffix("/api"),
        is_tls=parts.scheme == "https",
        ca_file=ca_file,
        authorization=authorization,
    )


def with_credentials(endpoint: Endpoint, user: str, password: str) -> Endpoint:
    """The same endpoint, for another user."""
    return endpoint._replace(authorization=_basic(user, password))


def _basic(user: str, password: str) -> str:
    from base64 import b64encode

    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def _asked(user: str) -> str:
    from getpass import getpass

    return getpass(f"Password of {user}: ")
