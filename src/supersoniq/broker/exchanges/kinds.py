"""The types of exchanges there are, by the names they are declared by."""

from typing import Final

from supersoniq.amqp.errors import PreconditionFailed
from supersoniq.amqp.tables import Table
from supersoniq.broker.delays import DELAYED_KIND, have_delay, underlying_kind
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.exchanges.chance import RandomExchange
from supersoniq.broker.exchanges.consistent_hash import ConsistentHashExchange
from supersoniq.broker.exchanges.direct import DirectExchange
from supersoniq.broker.exchanges.fanout import FanoutExchange
from supersoniq.broker.exchanges.headers import HeadersExchange
from supersoniq.broker.exchanges.modulus_hash import ModulusHashExchange
from supersoniq.broker.exchanges.recent_history import RecentHistoryExchange
from supersoniq.broker.exchanges.topic import TopicExchange

KINDS: Final[dict[str, type[Exchange]]] = {
    "direct": DirectExchange,
    "fanout": FanoutExchange,
    "topic": TopicExchange,
    "headers": HeadersExchange,
    "x-consistent-hash": ConsistentHashExchange,
    "x-modulus-hash": ModulusHashExchange,
    "x-random": RandomExchange,
    "x-recent-history": RecentHistoryExchange,
}


def check_kind(kind: str) -> None:
    """Raise 406 for a type that no exchange has."""
    if kind != DELAYED_KIND and kind not in KINDS:
        raise PreconditionFailed(f"unknown exchange type '{kind}'")


def new_exchange(
    kind: str, name: bytes, durable: bool, auto_delete: bool, internal: bool, arguments: Table
) -> Exchange:
    """Make an exchange of a type in `KINDS`, or of one that delays and then routes as one of those."""
    exchange = KINDS[underlying_kind(name, kind, arguments)](name, durable, auto_delete, internal, arguments)
    have_delay(exchange, kind)
    return exchange
