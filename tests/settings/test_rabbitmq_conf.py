"""RabbitMQ's configuration as settings of ours."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from supersoniq.config import ConfigError, Loaded, load
from supersoniq.settings.rabbitmq_conf import RabbitMQConf

Read = Callable[[str], RabbitMQConf]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "rabbitmq.conf"


@pytest.fixture
def read(path: Path) -> Read:
    def conf(text: str) -> RabbitMQConf:
        path.write_text(text)
        return RabbitMQConf(path, {})

    return conf


@pytest.fixture
def loaded(path: Path) -> Callable[..., Loaded]:
    def settings(text: str, environ: dict[str, str] | None = None, **flags: Any) -> Loaded:
        path.write_text(text)
        return load({"rabbitmq_conf": path, **flags}, environ or {})

    return settings


@pytest.mark.parametrize(
    ("line", "setting", "value"),
    [
        ("heartbeat = 30", "heartbeat_seconds", 30),
        ("channel_max = 0", "channel_max", 65535),
        ("frame_max = 131072", "frame_max_bytes", 131072),
        ("max_message_size = 1000", "message_bytes_max", 1000),
        ("consumer_timeout = 1800000", "consumer_timeout_ms", 1800000),
        ("handshake_timeout = 5000", "handshake_timeout_ms", 5000),
        ("vm_memory_high_watermark.relative = 0.6", "memory_limit", "60%"),
        ("vm_memory_high_watermark.absolute = 2GB", "memory_limit", "2000000000"),
        ("disk_free_limit.absolute = 1GiB", "disk_free_limit", "1073741824"),
        ("default_queue_type = quorum", "default_queue_type", "quorum"),
        ("proxy_protocol = true", "proxy_protocol", ["0.0.0.0/0", "::/0"]),
        ("proxy_protocol = false", "proxy_protocol", []),
        ("cluster_name = rabbits", "cluster_name", "rabbits"),
        ("default_vhost = shop", "default_vhost", "shop"),
        ("listeners.tcp = none", "amqp", "off"),
        ("listeners.tcp.default = 5673", "host", ["0.0.0.0", "::"]),
        ("listeners.tcp.default = 5673", "port", 5673),
        ("listeners.tcp.local = 127.0.0.1:5673", "host", ["127.0.0.1"]),
        ("listeners.tcp.1 = 127.0.0.1:5673\nlisteners.tcp.2 = ::1:5673", "host", ["127.0.0.1", "::1"]),
        ("management.tcp.port = 15673", "management_port", 15673),
        ("management.tcp.ip = 127.0.0.1", "management_host", ["127.0.0.1"]),
        ("prometheus.tcp.port = 15693", "prometheus_port", 15693),
        ("prometheus.tcp.ip = 127.0.0.1", "prometheus_host", ["127.0.0.1"]),
        ("prometheus.ssl.port = 15693", "prometheus_tls_port", 15693),
        ("management.listener.port = 15673", "management_port", 15673),
        ("management.listener.port = 15673\nmanagement.listener.ssl = true", "management_tls_port", 15673),
        ("management.listener.ip = ::1", "management_host", ["::1"]),
        ("loopback_users = none", "loopback_users", []),
        ("loopback_users.guest = false", "loopback_users", []),
        ("loopback_users.ann = true\nloopback_users.guest = false", "loopback_users", ["ann"]),
        ("default_user_tags.administrator = false", "default_user_tags", []),
        ("default_user_tags.monitoring = true", "default_user_tags", ["monitoring"]),
        ("default_permissions.write = ^a", "default_permissions", [".*", "^a", ".*"]),
        ("ssl_options.verify = verify_peer", "tls_verify", "request"),
        (
            "ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true",
            "tls_verify",
            "require",
        ),
        ("ssl_options.versions.1 = tlsv1.3", "tls_versions", ["tlsv1.3"]),
        ("ssl_options.ciphers.1 = A\nssl_options.ciphers.2 = B", "tls_ciphers", "A:B"),
        ("ssl_options.password = p", "tls_key_password", "p"),
        ("log.console.level = debug", "log_level", "debug"),
        ("log.console.formatter = json", "log_format", "json"),
        ("log.connection.level = error", "log_levels", {"supersoniq.session.connection": "error"}),
        ("ssl_cert_login_from = common_name", "ssl_cert_login_from", "common_name"),
    ],
)
def test_key_is_a_setting(read: Read, line: str, setting: str, value: object) -> None:
    conf = read(line)
    assert conf.values[setting] == value
    assert conf.origins.keys() == conf.values.keys()
    assert conf.notes == []


def test_a_file_of_an_image_is_taken_whole(loaded: Callable[..., Loaded], tmp_path: Path) -> None:
    certificate, definitions = tmp_path / "a.pem", tmp_path / "definitions.json"
    certificate.write_text("")
    definitions.write_text("{}")
    text = (
        "loopback_users.guest = false\nlisteners.tcp.default = 5672\nlisteners.ssl.default = 5671\n"
        f"ssl_options.certfile = {certificate}\nssl_options.keyfile = {certificate}\n"
        f"ssl_options.cacertfile = {certificate}\nssl_options.verify = verify_none\n"
        f"management.ssl.port = 15671\nmanagement.ssl.certfile = {certificate}\n"
        f"load_definitions = {definitions}\nlog.console = true\nlog.file = false\n"
        "auth_backends.1 = internal\ntcp_listen_options.nodelay = true\n"
    )
    result = loaded(text)
    assert result.notes == []
    settings = result.settings
    assert (settings.tls_port, settings.tls_host, settings.tls_verify) == (5671, ["0.0.0.0", "::"], "none")
    assert settings.tls_certificate == settings.tls_key == settings.tls_ca == certificate
    assert (settings.load_definitions, settings.loopback_users) == (definitions, [])


def test_every_place_has_its_rank(loaded: Callable[..., Loaded], path: Path, tmp_path: Path) -> None:
    text = "heartbeat = 1\nchannel_max = 1\nframe_max = 5000\nhandshake_timeout = 1\ndefault_user = a\n"
    own = tmp_path / "supersoniq.toml"
    own.write_text("channel_max = 2\nframe_max_bytes = 6000\nhandshake_timeout_ms = 2\n")
    environ = {"SUPERSONIQ_FRAME_MAX_BYTES": "7000", "RABBITMQ_DEFAULT_USER": "b"}
    result = loaded(text, environ, handshake_timeout_ms=4)
    settings = result.settings
    assert (settings.heartbeat_seconds, settings.channel_max) == (1, 2)
    assert (settings.frame_max_bytes, settings.handshake_timeout_ms) == (7000, 4)
    assert settings.default_user == "b"
    names = ("heartbeat_seconds", "channel_max", "frame_max_bytes", "handshake_timeout_ms", "default_user")
    assert [result.origins[name] for name in names] == [
        f"{path}:1",
        "supersoniq.toml",
        "SUPERSONIQ_FRAME_MAX_BYTES",
        "--handshake-timeout-ms",
        "RABBITMQ_DEFAULT_USER",
    ]


def test_variables_of_containers_are_below_ours() -> None:
    environ = {
        "RABBITMQ_DEFAULT_USER": "ann",
        "RABBITMQ_DEFAULT_PASS": "s3cret",
        "RABBITMQ_DEFAULT_VHOST": "shop",
        "SUPERSONIQ_DEFAULT_VHOST": "ours",
        "RABBITMQ_NODENAME": "rabbit@here",
    }
    result = load({}, environ)
    assert result.settings.default_user == "ann"
    assert result.settings.default_pass.get_secret_value() == "s3cret"
    assert result.settings.default_vhost == "ours"
    assert "s3cret" not in f"{result} {result.shown()}"


def test_file_may_be_named_anywhere(loaded: Callable[..., Loaded], path: Path, tmp_path: Path) -> None:
    path.write_text("heartbeat = 7\n")
    assert load({}, {"SUPERSONIQ_RABBITMQ_CONF": str(path)}).settings.heartbeat_seconds == 7
    (tmp_path / "supersoniq.toml").write_text(f"rabbitmq_conf = '{path}'\n")
    assert load({}, {}).settings.heartbeat_seconds == 7
    with pytest.raises(ConfigError, match=r"rabbitmq_conf /nowhere does not exist"):
        load({}, {"SUPERSONIQ_RABBITMQ_CONF": "/nowhere"})


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("hartbeat = 1", "hartbeat is unknown"),
        ("default_permissions.admin = .*", "default_permissions.admin is unknown"),
        ("mqtt.default_user = x", "mqtt.default_user is not honoured: there is no such plugin"),
        ("cluster_formation.dns.hostname = x", "cluster_formation.dns.hostname is not honoured: there is no"),
        ("log.file = /var/log/x", "log.file is not honoured: the log goes to standard error"),
        ("auth_backends.1 = ldap", "auth_backends.1 is not honoured: users are those of the broker"),
        ("auth_mechanisms.1 = EXTERNAL", "auth_mechanisms.1 is not honoured: PLAIN, AMQPLAIN and, with"),
        ("ssl_options.client_renegotiation = true", "ssl_options.client_renegotiation is not honoured: Open"),
        (
            "listeners.ssl.default = 5671",
            "listeners.ssl.default is not honoured: there is no ssl_options.cert",
        ),
        ("management.ssl.certfile = x", "management.ssl.certfile is not honoured: there is one certificate"),
        (
            "ssl_options.ciphers.1 = TLS_AES_128_GCM_SHA256",
            "ssl_options.ciphers.1 is not honoured: with TLS 1",
        ),
    ],
)
def test_what_is_not_honoured_is_a_line_with_the_reason(read: Read, path: Path, line: str, said: str) -> None:
    conf = read(f"\n{line}\n")
    assert len(conf.notes) == 1
    assert conf.notes[0].startswith(f"{path}:2: {said}")


def test_addresses_of_another_port_are_not_listened_on(read: Read, path: Path) -> None:
    conf = read("listeners.tcp.1 = 127.0.0.1:5672\nlisteners.tcp.2 = ::1:5673\n")
    assert (conf.values["host"], conf.values["port"]) == (["127.0.0.1"], 5672)
    assert conf.notes == [f"{path}:2: listeners.tcp.2 is not honoured: all addresses have one port, 5672"]


def test_versions_that_are_too_old_are_left_out(read: Read, path: Path) -> None:
    conf = read("ssl_options.versions.1 = tlsv1.1\nssl_options.versions.2 = tlsv1.2\n")
    assert conf.values["tls_versions"] == ["tlsv1.2"]
    assert conf.notes == [
        f"{path}:1: ssl_options.versions.1 is not honoured: tlsv1.1 is not among tlsv1.2, tlsv1.3"
    ]


def test_certificate_without_a_listener_is_told_of(read: Read, path: Path) -> None:
    conf = read("ssl_options.certfile = a.pem\n")
    assert conf.notes == [f"{path}:1: with a certificate there is AMQP with TLS on tls_port, too"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("heartbeat = soon", ":1: heartbeat = soon: expected a number"),
        ("heartbeat", ":1: expected key = value"),
        ("listeners.tcp = all", ":1: listeners.tcp = all: expected none"),
        ("listeners.ssl = all", ":1: listeners.ssl = all: expected none"),
        ("loopback_users = all", ":1: loopback_users = all: expected none"),
        ("loopback_users.ann = maybe", ":1: loopback_users.ann = maybe: expected true or false"),
        ("ssl_options.verify = maybe", ":1: ssl_options.verify = maybe: expected verify_none or verify_peer"),
        ("ssl_options.versions.1 = tlsv1.1", ":1: ssl_options.versions: expected tlsv1.2 or tlsv1.3"),
        ("disk_free_limit.absolute = big", ":1: disk_free_limit.absolute = big: expected a size"),
    ],
)
def test_value_that_makes_no_sense_is_one_line_with_its_place(
    loaded: Callable[..., Loaded], path: Path, line: str, said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(line)
    assert str(caught.value).startswith(f"{path}{said}")
    assert "\n" not in str(caught.value)


def test_value_that_no_setting_can_have_is_one_line_with_its_place(
    loaded: Callable[..., Loaded], path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded("\ndefault_queue_type = stream\n")
    assert str(caught.value) == (f"default_queue_type = stream ({path}:2): expected 'classic' or 'quorum'")


def test_password_is_not_in_complaints(loaded: Callable[..., Loaded]) -> None:
    result = loaded("default_pass = s3cret\nssl_options.password = s3cret\n")
    assert "s3cret" not in f"{result} {result.shown()} {result.notes}"
