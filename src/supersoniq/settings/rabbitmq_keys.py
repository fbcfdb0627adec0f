"""Keys of rabbitmq.conf: those that are a setting of ours as they stand, and why others are not honoured."""

import re
from collections.abc import Callable
from typing import NamedTuple

from supersoniq.settings.rabbitmq_values import (
    channels,
    every_network,
    formatter,
    frame,
    level,
    number,
    share,
    size,
    times_memory,
)


class Same(NamedTuple):
    """A setting of ours, and what reads the value."""

    setting: str
    read: Callable[[str], object]


SAME: dict[str, Same] = {
    "default_user": Same("default_user", str),
    "default_pass": Same("default_pass", str),
    "default_vhost": Same("default_vhost", str),
    "heartbeat": Same("heartbeat_seconds", number),
    "frame_max": Same("frame_max_bytes", frame),
    "channel_max": Same("channel_max", channels),
    "max_message_size": Same("message_bytes_max", number),
    "handshake_timeout": Same("handshake_timeout_ms", number),
    "consumer_timeout": Same("consumer_timeout_ms", number),
    "default_queue_type": Same("default_queue_type", str),
    "cluster_name": Same("cluster_name", str),
    "vm_memory_high_watermark.relative": Same("memory_limit", share),
    "vm_memory_high_watermark.absolute": Same("memory_limit", size),
    "disk_free_limit.absolute": Same("disk_free_limit", size),
    "disk_free_limit.relative": Same("disk_free_limit", times_memory),
    "load_definitions": Same("load_definitions", str),
    "definitions.local.path": Same("load_definitions", str),
    "management.load_definitions": Same("load_definitions", str),
    "ssl_options.certfile": Same("tls_certificate", str),
    "ssl_options.keyfile": Same("tls_key", str),
    "ssl_options.password": Same("tls_key_password", str),
    "ssl_options.cacertfile": Same("tls_ca", str),
    "ssl_cert_login_from": Same("ssl_cert_login_from", str),
    "ssl_cert_login_san_type": Same("ssl_cert_login_san_type", str),
    "ssl_cert_login_san_index": Same("ssl_cert_login_san_index", number),
    "management.tcp.port": Same("management_port", number),
    "management.ssl.port": Same("management_tls_port", number),
    "prometheus.ssl.port": Same("prometheus_tls_port", number),
    "prometheus.tcp.port": Same("prometheus_port", number),
    "proxy_protocol": Same("proxy_protocol", every_network),
    "log.default.level": Same("log_level", level),
    "log.console.level": Same("log_level", level),
    "log.console.formatter": Same("log_format", formatter),
}

# What is so here in any case: nothing is to be said about these values.
ANYWAY: dict[str, tuple[str, ...]] = {
    "ssl_options.secure_renegotiate": ("true",),
    "ssl_options.client_renegotiation": ("false",),
    "ssl_options.honor_cipher_order": ("true",),
    "ssl_options.honor_ecc_order": ("true",),
    "ssl_options.crl_check": ("false",),
    "log.console": ("true",),
    "log.file": ("false",),
    "tcp_listen_options.nodelay": ("true",),
    "tcp_listen_options.keepalive": ("true",),
    "tcp_listen_options.exit_on_close": ("false",),
    "definitions.import_backend": ("local_filesystem",),
    "definitions.skip_if_unchanged": ("false",),
    "cluster_formation.peer_discovery_backend": ("classic_config", "rabbit_peer_discovery_classic_config"),
    "auth_backends.N": ("internal", "rabbit_auth_backend_internal"),
    "connection_max": ("infinity",),
    "reverse_dns_lookups": ("false",),
    "management.rates_mode": ("basic",),
    "management.path_prefix": ("/",),
    "management.disable_stats": ("false",),
    "prometheus.path": ("/metrics",),
    "prometheus.return_per_object_metrics": ("false",),
}

# The first pattern that fits the beginning of a key says why it is not honoured.
_REASONS: tuple[tuple[str, str], ...] = (
    (r"ssl_options\.depth", "chains of certificates may have any length"),
    (r"ssl_options\.crl_check", "set tls_crl"),
    (r"ssl_options\.", "OpenSSL's default holds"),
    (r"ssl_handshake_timeout", "handshake_timeout counts for TLS, too"),
    (r"(management|prometheus)\.(ssl|listener\.ssl_opts)\.", "there is one certificate for all listeners"),
    (r"(management|prometheus)\.", "there is no such option"),
    (r"log\.console\.", "log lines have one form"),
    (r"log\.(connection|channel|queue|mirroring|federation|upgrade|ra|default)\.level", "see log_levels"),
    (r"log\.", "the log goes to standard error"),
    (r"auth_mechanisms\.", "PLAIN, AMQPLAIN and, with a certificate, EXTERNAL are offered"),
    (r"auth_backends\.", "users are those of the broker"),
    (r"definitions\.", "definitions are a local file that is loaded at every start"),
    (r"password_hashing_module|credential_validator\.", "passwords are hashed with scrypt, and not judged"),
    (
        r"cluster_|mirroring_|net_ticktime|distribution\.|raft\.|quorum_queue\.|queue_(master|leader)_locator",
        "there is no cluster",
    ),
    (r"(connection|vhost)_max|channel_max_per_node", "limits are those of virtual hosts and users"),
    (r"tcp_listen_options", "sockets have one set of options"),
    (
        r"(mqtt|stomp|stream|web_mqtt|web_stomp|amqp1_0|shovel|federation|auth_\w+|trust_store|aws|web_dispatch)\.",
        "there is no such plugin",
    ),
    (
        r"num_acceptors|socket_writer|erlang|sysmon_handler|hipe_compile|delegate_count|background_gc|"
        r"default_worker_pool|vm_memory|memory_monitor|msg_store|message_store|queue_index|mnesia|"
        r"classic_queue|vhost_restart|collect_statistics|management_agent|total_memory|initial_frame_max|"
        r"product|motd_file|default_consumer_prefetch|reverse_dns",
        "it has no meaning here",
    ),
)


def reason(key: str) -> str:
    """Why a key is not honoured; empty if it is none that RabbitMQ's documentation of 3.x or 4.x has."""
    return next((text for pattern, text in _REASONS if re.match(pattern, key)), "")
