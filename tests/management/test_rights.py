"""Rights: those of AMQP for users, all for the operator of the machine."""

import pytest
from tests.management.conftest import Common

from supersoniq import Broker
from supersoniq.amqp.errors import AccessRefused
from supersoniq.amqp.tables import table_of
from supersoniq.auth.permissions import Permission
from supersoniq.broker.vhost import VHost
from supersoniq.management.access import LOCAL, Caller
from supersoniq.management.rights import Rights
from supersoniq.session.access import QUEUE

CALLER = Caller("restricted", frozenset({"management"}), "127.0.0.1:1")


@pytest.fixture
def rights(shared_broker: Broker, ours: Common) -> Rights:
    management = shared_broker.node.management
    assert management is not None
    management.context.permissions.put("restricted", ours.vhost, Permission("^own", "^own", "^own"))
    return Rights(management, CALLER, vhost_of(shared_broker, ours))


def vhost_of(broker: Broker, ours: Common) -> VHost:
    return broker.node.vhosts[ours.vhost]


def test_what_matches_is_allowed(rights: Rights) -> None:
    rights.declare_queue(b"own", table_of({"x-dead-letter-exchange": "own-too"}))
    rights.declare_exchange(b"own", table_of({"alternate-exchange": "own-too"}))
    rights.bind(b"own", QUEUE, b"own", b"key")


def test_what_does_not_is_refused(rights: Rights) -> None:
    with pytest.raises(AccessRefused, match="configure access to queue 'x'"):
        rights.declare_queue(b"x", {})
    with pytest.raises(AccessRefused, match="write access to exchange 'x'"):
        rights.declare_queue(b"own", table_of({"x-dead-letter-exchange": "x"}))
    with pytest.raises(AccessRefused, match="write access to exchange 'x'"):
        rights.change_queue(b"own", table_of({"x-dead-letter-exchange": "x"}))
    with pytest.raises(AccessRefused, match="write access to exchange 'x'"):
        rights.declare_exchange(b"own", table_of({"alternate-exchange": "x"}))
    with pytest.raises(AccessRefused, match="write access to queue 'x'"):
        rights.bind(b"own", QUEUE, b"x", b"")
    with pytest.raises(AccessRefused, match="read access to exchange 'x'"):
        rights.bind(b"x", QUEUE, b"own", b"")


def test_operator_may_do_everything(shared_broker: Broker, ours: Common) -> None:
    management = shared_broker.node.management
    assert management is not None
    rights = Rights(management, LOCAL, vhost_of(shared_broker, ours))
    rights.declare_queue(b"x", table_of({"x-dead-letter-exchange": "y"}))
    rights.bind(b"x", QUEUE, b"y", b"")
