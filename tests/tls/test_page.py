"""The commands of docs/tls.md make certificates that a broker and its clients can use."""

import subprocess
from pathlib import Path

import pika
from tests.authority import Authority
from tests.docs.pages import blocks

from supersoniq import Broker

PAGE = Path(__file__).parents[2] / "docs" / "tls.md"


def test_certificates_of_the_page_are_good_for_broker_and_client(tmp_path: Path) -> None:
    (commands,) = [block for block in blocks(PAGE) if block.language == "sh" and not block.is_elsewhere]
    subprocess.run(
        ["sh", "-e", "-c", commands.text], cwd=tmp_path, check=True, capture_output=True, timeout=30
    )
    made = {
        name: tmp_path / name for name in ("ca.crt", "server.crt", "server.key", "client.crt", "client.key")
    }
    with Broker(
        tls_certificate=made["server.crt"],
        tls_key=made["server.key"],
        tls_ca=made["ca.crt"],
        tls_verify="require",
        users={"CN=ann,O=shop": "of no use here"},
    ) as broker:
        authority = Authority(tmp_path / "other")
        authority.path = made["ca.crt"]
        context = authority.client_context()
        context.load_cert_chain(made["client.crt"], made["client.key"])
        parameters = pika.ConnectionParameters(
            "127.0.0.1",
            broker.node.tls_addresses[0][1],
            ssl_options=pika.SSLOptions(context, "localhost"),
            credentials=pika.credentials.ExternalCredentials(),
        )
        pika.BlockingConnection(parameters).close()
