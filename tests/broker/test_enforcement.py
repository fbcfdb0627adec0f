"""Policies take effect at once, on what is there and on what comes, and end when they are removed."""

import pytest
from tests.broker.test_policies import policy
from tests.fakes import NO_PROPERTIES, FakeClock, FakeConsumer, FakeStore, FixedNames, message, settle_down

from supersoniq.amqp.tables import table_of
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.message import address_of
from supersoniq.broker.queues.queue import DROPPED_MAX, Queue
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import REPLY_PREFIX, VHost

ME = 1


class Host:
    """A virtual host, its clock, and what tests do to both."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.turn = Turn(self.clock)
        self.vhost = VHost("/", self.turn, FakeStore(), FixedNames())
        self.policies = self.vhost.policies

    def queue(self, name: str = "q", **arguments: object) -> Queue:
        named = {"x-" + key.replace("_", "-"): value for key, value in arguments.items()}
        durable = "x-queue-type" in named
        return self.vhost.declare_queue(name.encode(), durable, False, False, table_of(named), ME)

    def exchange(self, name: str = "e", **arguments: object) -> Exchange:
        named = {key.replace("_", "-"): value for key, value in arguments.items()}
        return self.vhost.declare_exchange(name.encode(), "fanout", False, False, False, table_of(named))

    def publish(self, *bodies: bytes, exchange: bytes = b"", routing_key: bytes = b"q") -> list[Queue]:
        queues: list[Queue] = []
        for body in bodies:
            route = self.vhost.route(address_of(exchange, routing_key), NO_PROPERTIES)
            queues = route.queues
            if route.is_plain:
                self.vhost.publish(message(body, exchange, routing_key), route.queues)
            else:
                self.vhost.publish_by_rules(message(body, exchange, routing_key), route.queues, -1)
        settle_down(self.turn)
        return queues


@pytest.fixture
def host() -> Host:
    return Host()


def ready_in(queue: Queue) -> list[bytes]:
    return [entry.message.body for entry in queue.in_memory()]


def test_limit_shortens_a_queue_that_is_there(host: Host) -> None:
    queue = host.queue()
    host.publish(b"a", b"b", b"c")
    host.policies.put([policy(max_length=1)])
    assert ready_in(queue) == [b"c"]


def test_limit_counts_for_messages_that_come_after_it(host: Host) -> None:
    """Though the route to the queue was found before."""
    queue = host.queue()
    host.publish(b"a")
    host.policies.put([policy(max_length=1)])
    host.publish(b"b", b"c")
    assert ready_in(queue) == [b"c"]
    assert host.policies.remove("p", False)
    host.publish(b"d", b"e")
    assert ready_in(queue) == [b"c", b"d", b"e"]


def test_long_queue_is_shortened_over_several_turns(host: Host) -> None:
    queue = host.queue()
    host.publish(*[b"m"] * (2 * DROPPED_MAX + 5))
    host.policies.put([policy(max_length=3)])
    assert queue.ready_count == DROPPED_MAX + 5
    settle_down(host.turn)
    assert queue.ready_count == 3


def test_what_a_new_limit_drops_is_dead_lettered_where_the_policy_says(host: Host) -> None:
    host.queue()
    dead = host.queue("dead")
    host.publish(b"a", b"b")
    host.policies.put(
        [policy(pattern="^q$", max_length=1, dead_letter_exchange="", dead_letter_routing_key="dead")]
    )
    settle_down(host.turn)
    assert ready_in(dead) == [b"a"]


def test_new_queue_goes_by_the_policies(host: Host) -> None:
    host.policies.put([policy(pattern="^q$", max_length=1)])
    queue, other = host.queue(), host.queue("other")
    host.publish(b"a", b"b")
    assert ready_in(queue) == [b"b"]
    assert queue.policy is host.policies.user.by_name["p"]
    assert (other.policy, other.effective_definition()) == (None, {})


def test_both_kinds_of_policy_are_seen_on_the_queue(host: Host) -> None:
    queue = host.queue(max_length=4)
    host.policies.put([policy("u", max_length=5, overflow="reject-publish")])
    host.policies.put([policy("o", is_operator=True, max_length=3)])
    assert queue.policy is not None
    assert queue.operator_policy is not None
    assert (queue.policy.name, queue.operator_policy.name) == ("u", "o")
    assert queue.effective_definition() == {"max-length": 3, "overflow": "reject-publish"}
    assert int(queue.rules.max_length) == 3
    assert host.policies.remove("o", True)
    assert int(queue.rules.max_length) == 4
    assert not host.policies.remove("o", True)


def test_message_expires_as_was_settled_when_it_came(host: Host) -> None:
    queue = host.queue()
    host.publish(b"before")
    host.policies.put([policy(message_ttl=100)])
    host.publish(b"under")
    assert host.policies.remove("p", False)
    host.publish(b"after")
    host.clock.move(host.turn, 150)
    assert ready_in(queue) == [b"before", b"after"]


def test_queue_goes_when_it_is_unused_from_when_a_policy_says_so(host: Host) -> None:
    host.queue()
    used = host.queue("used")
    used.subscribe(FakeConsumer())
    host.clock.move(host.turn, 10_000)
    host.policies.put([policy(expires=1000)])
    host.clock.move(host.turn, 900)
    assert set(host.vhost.queues) == {b"q", b"used"}
    host.clock.move(host.turn, 200)
    assert set(host.vhost.queues) == {b"used"}


def test_queue_stays_when_the_policy_is_gone(host: Host) -> None:
    host.queue()
    host.policies.put([policy(expires=1000)])
    host.clock.move(host.turn, 500)
    assert host.policies.remove("p", False)
    host.clock.move(host.turn, 5000)
    assert b"q" in host.vhost.queues


def test_declaring_again_compares_arguments_only(host: Host) -> None:
    queue = host.queue(max_length=9)
    host.policies.put([policy(max_length=1)])
    assert host.queue(max_length=9) is queue


def test_type_of_a_queue_decides_which_policy_counts(host: Host) -> None:
    classic, quorum = host.queue(), host.queue("r", queue_type="quorum")
    host.policies.put([policy(apply_to="quorum_queues", delivery_limit=2)])
    assert classic.policy is None
    assert int(quorum.rules.delivery_limit) == 2
    assert quorum.rules.counts_deliveries


def test_policy_gives_an_exchange_its_alternate(host: Host) -> None:
    exchange, spare = host.exchange(), host.exchange("spare")
    queue = host.queue()
    host.vhost.bind(b"spare", queue, b"", {})
    assert host.publish(b"a", exchange=b"e") == []
    host.policies.put([policy(pattern="^e$", alternate_exchange="spare")])
    assert host.publish(b"b", exchange=b"e") == [queue]
    assert exchange.effective_definition() == {"alternate-exchange": "spare"}
    assert spare.policy is None
    assert host.policies.remove("p", False)
    assert host.publish(b"c", exchange=b"e") == []


def test_argument_of_an_exchange_counts_before_a_policy(host: Host) -> None:
    host.policies.put([policy(alternate_exchange="theirs")])
    assert host.exchange(alternate_exchange="mine").alternate == b"mine"
    assert host.exchange("f").alternate == b"theirs"


def test_queues_of_direct_reply_to_have_no_policy(host: Host) -> None:
    queue = host.vhost.open_reply_queue()
    host.policies.put([policy(max_length=1)])
    assert queue.name.startswith(REPLY_PREFIX)
    assert queue.policy is None


def test_policy_that_does_not_change_leaves_queues_alone(host: Host) -> None:
    queue = host.queue()
    host.policies.put([policy("a", max_length=5)])
    rules = queue.rules
    host.policies.put([policy("b", priority=-1, max_length=1)])
    assert queue.rules is rules
