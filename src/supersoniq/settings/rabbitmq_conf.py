"""RabbitMQ's configuration as settings of ours: what is honoured, and a line for each key that is not."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from supersoniq.settings.rabbitmq_file import Line, RabbitMQConfError, read_lines
from supersoniq.settings.rabbitmq_keys import ANYWAY, SAME, reason
from supersoniq.settings.rabbitmq_values import address, level, switch

EVERY_ADDRESS = ["0.0.0.0", "::"]
SECRETS = frozenset({"default_pass", "ssl_options.password"})
# Categories of RabbitMQ's log, and who logs the same here.
LOGGERS = {"connection": "supersoniq.session.connection", "channel": "supersoniq.session.channel"}
VERSIONS = ("tlsv1.2", "tlsv1.3")

T = TypeVar("T")


class RabbitMQConf:
    """What was read: `values` and `origins` by the names of our settings, `notes` for the operator."""

    def __init__(self, path: Path | None, environ: Mapping[str, str]) -> None:
        """Read a file, a directory of files, or nothing; raises RabbitMQConfError."""
        self.values: dict[str, Any] = {}
        self.origins: dict[str, str] = {}
        self.notes: list[str] = []
        self._lines = {line.key: line for line in ([] if path is None else read_lines(path, environ))}
        self._files = {key: line.value for key, line in self._lines.items() if key.startswith("ssl_options.")}
        self._plain_listeners()
        self._tls_listeners()
        self._verification()
        self._versions()
        self._ciphers()
        self._loopback_users()
        self._tags()
        self._permissions()
        self._management_listener()
        self._loggers()
        for line in self._lines.values():
            self._single(line)

    def _single(self, line: Line) -> None:
        """A key that stands for itself."""
        same = SAME.get(line.key)
        if same is not None:
            self._set(same.setting, self._read(line, same.read), line)
        elif line.value not in ANYWAY.get(re.sub(r"\.\d+$", ".N", line.key), ()) and not self._repeats(line):
            self._note(line, reason(line.key))

    def _repeats(self, line: Line) -> bool:
        """Whether another listener has the same file or option as AMQP has."""
        option = re.sub(r"(management|prometheus)\.(ssl|listener\.ssl_opts)\.", "ssl_options.", line.key)
        return option != line.key and self._files.get(option) == line.value

    def _set(self, setting: str, value: object, line: Line) -> None:
        self.values[setting] = value
        self.origins[setting] = line.place

    def _note(self, line: Line, why: str) -> None:
        if why:
            self.notes.append(f"{line.place}: {line.key} is not honoured: {why}")
        else:
            self.notes.append(f"{line.place}: {line.key} is unknown")

    def _read(self, line: Line, read: Callable[[str], T]) -> T:
        try:
            return read(line.value)
        except ValueError as error:
            shown = "****" if line.key in SECRETS else line.value
            raise RabbitMQConfError(f"{line.place}: {line.key} = {shown}: {error}") from None

    def _take(self, key: str) -> Line | None:
        """The line of a key, which is then dealt with."""
        return self._lines.pop(key, None)

    def _family(self, prefix: str) -> list[Line]:
        """The lines of the keys below `prefix`, which are then dealt with."""
        keys = [key for key in self._lines if key.startswith(prefix + ".")]
        return [self._lines.pop(key) for key in keys]

    # Listeners

    def _plain_listeners(self) -> None:
        none = self._take("listeners.tcp")
        if none is not None:
            self._read(none, _none)
            self._set("amqp", "off", none)
        self._listeners(self._family("listeners.tcp"), "host", "port")

    def _tls_listeners(self) -> None:
        none = self._take("listeners.ssl")
        if none is not None:
            self._read(none, _none)
        lines = self._family("listeners.ssl")
        self._listeners(lines, "tls_host", "tls_port")
        certificate = self._lines.get("ssl_options.certfile")
        if lines and certificate is None:
            self._note(lines[0], "there is no ssl_options.certfile")
        if certificate is not None and not lines:
            self.notes.append(
                f"{certificate.place}: with a certificate there is AMQP with TLS on tls_port, too"
            )

    def _listeners(self, lines: list[Line], host_setting: str, port_setting: str) -> None:
        """Every address has the same port: that of the first line."""
        hosts: list[str] = []
        for line in lines:
            host, port = self._read(line, address)
            if port != self.values.setdefault(port_setting, port):
                self._note(line, f"all addresses have one port, {self.values[port_setting]}")
                continue
            hosts += EVERY_ADDRESS if host is None else [host]
            self.origins.setdefault(port_setting, line.place)
            self._set(host_setting, list(dict.fromkeys(hosts)), line)

    def _management_listener(self) -> None:
        """In the older words, too; and that of the plugin for Prometheus."""
        port, ip, tls = (self._take(f"management.listener.{word}") for word in ("port", "ip", "ssl"))
        has_tls = tls is not None and self._read(tls, switch)
        if port is not None:
            setting = "management_tls_port" if has_tls else "management_port"
            self._set(setting, self._read(port, SAME["management.tcp.port"].read), port)
        for host in (ip, self._take("management.tcp.ip")):
            if host is not None:
                self._set("management_host", [host.value], host)
        address = self._take("prometheus.tcp.ip")
        if address is not None:
            self._set("prometheus_host", [address.value], address)

    # TLS

    def _verification(self) -> None:
        verify, fail = self._take("ssl_options.verify"), self._take("ssl_options.fail_if_no_peer_cert")
        is_required = fail is not None and self._read(fail, switch)
        if verify is not None and self._read(verify, _verifies):
            self._set("tls_verify", "require" if is_required else "request", verify)

    def _versions(self) -> None:
        lines = self._family("ssl_options.versions")
        known = [line for line in lines if line.value in VERSIONS]
        for line in lines:
            if line not in known:
                self._note(line, f"{line.value} is not among {', '.join(VERSIONS)}")
        if known:
            self._set("tls_versions", [line.value for line in known], known[0])
        elif lines:
            raise RabbitMQConfError(
                f"{lines[0].place}: ssl_options.versions: expected {' or '.join(VERSIONS)}"
            )

    def _ciphers(self) -> None:
        """Those of TLS 1.3, which are named otherwise, are OpenSSL's."""
        lines = self._family("ssl_options.ciphers")
        for line in lines:
            if line.value.startswith("TLS_"):
                self._note(line, "with TLS 1.3 OpenSSL's suites hold")
        older = [line for line in lines if not line.value.startswith("TLS_")]
        if older:
            self._set("tls_ciphers", ":".join(line.value for line in older), older[0])

    # The default user

    def _loopback_users(self) -> None:
        none = self._take("loopback_users")
        if none is not None:
            self._read(none, _none)
            self._set("loopback_users", [], none)
        names: list[str] = []
        for line in self._family("loopback_users"):
            if self._read(line, switch):
                names.append(line.key.partition(".")[2])
            self._set("loopback_users", list(names), line)

    def _tags(self) -> None:
        lines = self._family("default_user_tags")
        for line in lines:
            tags = [each.key.partition(".")[2] for each in lines if self._read(each, switch)]
            self._set("default_user_tags", tags, line)

    def _permissions(self) -> None:
        patterns = {"configure": ".*", "write": ".*", "read": ".*"}
        for line in self._family("default_permissions"):
            kind = line.key.partition(".")[2]
            if kind not in patterns:
                self._note(line, "")
                continue
            patterns[kind] = line.value
            self._set("default_permissions", list(patterns.values()), line)

    # The log

    def _loggers(self) -> None:
        levels: dict[str, str] = {}
        for category, logger in LOGGERS.items():
            line = self._take(f"log.{category}.level")
            if line is not None:
                levels[logger] = self._read(line, level)
                self._set("log_levels", dict(levels), line)


def _none(text: str) -> None:
    if text != "none":
        raise ValueError("expected none")


def _verifies(text: str) -> bool:
    if text not in ("verify_none", "verify_peer"):
        raise ValueError("expected verify_none or verify_peer")
    return text == "verify_peer"
