"""The fields of connections."""

from pathlib import Path
from typing import Any

import pika
from tests.authority import Authority
from tests.management.api import Api
from tests.management.conftest import Common
from tests.management.views.fields import CONNECTION, missing
from tests.management.waiting import eventually

from supersoniq import Broker


def test_connection_has_all_fields(common: Common) -> None:
    with common.connect():
        path = common.path("/vhosts/$V/connections")
        shown = eventually(lambda: [each for each in common.api.get(path) if "recv_oct" in each])[0]
        assert missing(CONNECTION, shown) == set()
        assert (shown["auth_mechanism"], shown["channel_max"], shown["timeout"]) == ("PLAIN", 2047, 60)
        assert shown["client_properties"]["connection_name"] == "contract"
        assert (shown["ssl"], shown["state"], shown["type"]) == (False, "running", "network")


def test_connection_with_tls_says_what_was_agreed_on(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    settings: dict[str, Any] = {
        "management": "on",
        "tls_certificate": authority.issue("127.0.0.1"),
        "tls_ca": authority.path,
        "tls_verify": "request",
    }
    names = {"common_name": "ann", "organization_unit_name": "staff", "organization_name": "shop"}
    context = authority.client_context(authority.issue(file="ann.pem", **names))
    with Broker(**settings) as broker:
        host, port = broker.node.tls_addresses[0]
        options = pika.SSLOptions(context, host)
        connection = pika.BlockingConnection(pika.ConnectionParameters(host, port, ssl_options=options))
        (shown,) = eventually(lambda: Api(broker.api_url).get("/api/connections"))
        connection.close()
    assert shown["peer_cert_subject"] == "CN=ann,OU=staff,O=shop"
    assert shown["peer_cert_validity"].startswith("2000-01-01T00:00:00Z - 2099-01-01T00:00:00Z")
    assert shown["peer_cert_issuer"].startswith("OU=")
    fields = ("ssl", "ssl_protocol", "ssl_key_exchange", "ssl_cipher", "ssl_hash")
    assert [shown[field] for field in fields] == [True, "tlsv1.3", "any", "aes_256_gcm", "aead"]
