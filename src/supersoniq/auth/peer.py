"""What TLS says about one client: its certificate, and what was agreed on with it. Plain values."""


class PeerCertificate:
    """A client's certificate, verified by one of our certificate authorities.

    `subject` and `issuer` are distinguished names as RabbitMQ writes them, the last component first. The
    lists are in the order of the certificate.
    """

    def __init__(
        self,
        subject: str,
        issuer: str,
        validity: str,
        common_names: list[str],
        dns_names: list[str],
        emails: list[str],
        uris: list[str],
        other_names: list[str],
    ) -> None:
        self.subject = subject
        self.issuer = issuer
        self.validity = validity  # 2024-01-02T03:04:05Z - 2034-01-02T03:04:05Z
        self.common_names = common_names
        self.dns_names = dns_names
        self.emails = emails
        self.uris = uris
        self.other_names = other_names


class Encryption:
    """What a client and the broker agreed on, in the words of RabbitMQ's API.

    `tlsv1.3`, `any`, `aes_256_gcm`, `aead`.
    """

    def __init__(
        self,
        protocol: str,
        key_exchange: str,
        cipher: str,
        hash_name: str,
        peer_certificate: PeerCertificate | None,
    ) -> None:
        self.protocol = protocol
        self.key_exchange = key_exchange
        self.cipher = cipher
        self.hash_name = hash_name
        self.peer_certificate = peer_certificate
