"""Keys of rabbitmq.conf: each stands for a setting that there is, or has a reason why it does not."""

import pytest

from supersoniq.config import Settings
from supersoniq.settings.rabbitmq_keys import ANYWAY, SAME, reason


def test_keys_stand_for_settings_that_there_are() -> None:
    assert {same.setting for same in SAME.values()} <= set(Settings.model_fields)


def test_no_key_is_both_honoured_and_explained_away() -> None:
    assert not set(SAME) & set(ANYWAY)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("cluster_formation.dns.hostname", "there is no cluster"),
        ("log.file.rotation.size", "the log goes to standard error"),
        ("mqtt.listeners.tcp.default", "there is no such plugin"),
        ("tcp_listen_options.sndbuf", "sockets have one set of options"),
        ("ssl_options.depth", "chains of certificates may have any length"),
        ("collect_statistics_interval", "it has no meaning here"),
        ("hartbeat", ""),
    ],
)
def test_reason_is_that_of_the_family(key: str, said: str) -> None:
    assert reason(key) == said
