"""Confirms come in order, coalesced, and never before the message is safe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.codec import Basic, Channel, Confirm, Connection, Method, decode_method
from tests.definitions import thorough
from tests.session.script import ChannelScript, Node, method_frame, octets_of

from supersoniq.amqp.tables import table_of
from supersoniq.broker.publishing import REFUSED

PERSISTENT = {"delivery_mode": 2}


def new_node() -> Node:
    """A node whose store makes safe what it is told to; the queue `durable` is, and `full` has no room."""
    node = Node(has_prompt_store=False)
    node.queue()
    node.queue(b"durable", durable=True)
    no_room = table_of({"x-max-length": 0, "x-overflow": "reject-publish"})
    node.vhost.declare_queue(b"full", False, False, False, no_room, 0)
    node.sync()
    return node


def stored_octets(body: bytes) -> bytes:
    return octets_of(1, Basic.publish(routing_key="durable", body=body, properties=PERSISTENT))


def transient_octets(body: bytes) -> bytes:
    return octets_of(1, Basic.publish(routing_key="q", body=body))


def store(channel: ChannelScript, *bodies: bytes) -> None:
    """Publish what the store must make safe, in one turn."""
    channel >> b"".join([stored_octets(body) for body in bodies])


def confirming(node: Node) -> ChannelScript:
    channel = node.channel()
    channel >> Confirm.select()
    channel << Confirm.select_ok()
    return channel


class Ledger:
    """A client's view of its publishes: which were answered, and how."""

    def __init__(self, node: Node, channel: ChannelScript) -> None:
        self.sequences: list[int] = []  # of each publish, 0 if it needs no store, or `REFUSED`
        self.answered: dict[int, bool] = {}
        self._node = node
        self._channel = channel

    def publish(self, kind: str, shares_sequence: bool) -> None:
        """Publish within the turn."""
        self._node.store.shares_sequences = shares_sequence
        key = {"stored": "durable", "transient": "q", "unroutable": "nobody", "refused": "full"}[kind]
        method = Basic.publish(routing_key=key, body=b"x", properties=PERSISTENT)
        self._channel.client.session.feed(octets_of(1, method))
        others = REFUSED if kind == "refused" else 0
        self.sequences.append(self._node.store.sequence if kind == "stored" else others)

    def verdict(self, sequence: int, does_wait: bool) -> bool | None:
        store = self._node.store
        if sequence == REFUSED:
            return None if does_wait else False
        return True if sequence <= store.synced else False if sequence <= store.given_up else None

    def check(self) -> int:
        """Take the answers that came; returns how many there were."""
        expected: dict[int, bool] = {}
        does_wait = False  # an earlier one does: what was refused is nacked in its turn
        for tag, sequence in enumerate(self.sequences, 1):
            verdict = self.answered.get(tag, self.verdict(sequence, does_wait))
            if verdict is not None:
                expected[tag] = verdict
            else:
                does_wait = True
        count = 0
        while not self._channel.client.is_quiet():
            self._take(decode_method(self._channel.client.next_frame(1).payload))
            count += 1
        assert self.answered == expected
        return count

    def _take(self, answer: Method) -> None:
        assert answer.name in ("basic.ack", "basic.nack")
        tag = answer.delivery_tag
        first = 1 if answer.multiple else tag
        tags = [each for each in range(first, tag + 1) if each not in self.answered]
        assert tags, f"{answer} of nothing"
        for each in tags:
            self.answered[each] = answer.name == "basic.ack"


@pytest.fixture
def node() -> Node:
    return new_node()


@pytest.fixture
def channel(node: Node) -> ChannelScript:
    return confirming(node)


def test_one_publish_is_acked_alone(channel: ChannelScript) -> None:
    channel.publish(b"x")
    channel << Basic.ack(delivery_tag=1, multiple=False)
    channel.publish(b"x")
    channel << Basic.ack(delivery_tag=2, multiple=False)


def test_publishes_of_one_turn_are_acked_together(channel: ChannelScript) -> None:
    channel.publish(b"1", b"2", b"3")
    channel << Basic.ack(delivery_tag=3, multiple=True)
    assert channel.client.is_quiet()


def test_unroutable_publish_is_acked(channel: ChannelScript) -> None:
    channel.publish(b"x", key="nobody")
    channel << Basic.ack(delivery_tag=1)


def test_counting_begins_with_the_selection(node: Node) -> None:
    channel = node.channel().publish(b"before")
    channel >> Confirm.select()
    channel << Confirm.select_ok()
    channel.publish(b"after")
    channel << Basic.ack(delivery_tag=1)


def test_channels_count_for_themselves(node: Node, channel: ChannelScript) -> None:
    other = confirming(node)
    channel.publish(b"1", b"2")
    other.publish(b"3")
    channel << Basic.ack(delivery_tag=2)
    other << Basic.ack(delivery_tag=1)


def test_stored_message_is_acked_when_it_is_safe(node: Node, channel: ChannelScript) -> None:
    store(channel, b"1")
    assert channel.client.is_quiet()
    node.sync()
    channel << Basic.ack(delivery_tag=1, multiple=False)


def test_all_that_one_sync_makes_safe_are_acked_together(node: Node, channel: ChannelScript) -> None:
    for body in (b"1", b"2", b"3"):
        store(channel, body)
    node.sync()
    channel << Basic.ack(delivery_tag=3, multiple=True)
    assert channel.client.is_quiet()


def test_ack_goes_as_far_as_the_store_does(node: Node, channel: ChannelScript) -> None:
    sequences = []
    for body in (b"1", b"2", b"3"):
        store(channel, body)
        sequences.append(node.store.sequence)
    node.sync(sequences[1])
    channel << Basic.ack(delivery_tag=2, multiple=True)
    assert channel.client.is_quiet()
    node.sync()
    channel << Basic.ack(delivery_tag=3, multiple=False)


@pytest.mark.parametrize("key", ["q", "nobody"])
def test_message_that_needs_no_store_is_acked_while_an_earlier_one_waits(
    node: Node, channel: ChannelScript, key: str
) -> None:
    store(channel, b"1")
    channel.publish(b"2", b"3", key=key)
    channel << Basic.ack(delivery_tag=2, multiple=False)
    channel << Basic.ack(delivery_tag=3, multiple=False)
    node.sync()
    channel << Basic.ack(delivery_tag=1, multiple=False)
    assert channel.client.is_quiet()


def test_message_that_needs_no_store_is_acked_when_a_later_one_of_its_turn_waits(
    node: Node, channel: ChannelScript
) -> None:
    channel >> transient_octets(b"1") + transient_octets(b"2") + stored_octets(b"3")
    channel << Basic.ack(delivery_tag=2, multiple=True)
    assert channel.client.is_quiet()
    node.sync()
    channel << Basic.ack(delivery_tag=3, multiple=False)


def test_message_safe_before_its_turn_ends_is_acked_with_it(node: Node, channel: ChannelScript) -> None:
    channel.client.session.feed(stored_octets(b"1"))
    node.sync()
    channel << Basic.ack(delivery_tag=1)
    assert node.store.waiters == []


def test_store_is_asked_once_however_much_waits(node: Node, channel: ChannelScript) -> None:
    for body in (b"1", b"2", b"3"):
        store(channel, body)
    assert len(node.store.waiters) == 1
    node.sync()
    assert node.store.waiters == []


def test_refused_message_is_nacked(node: Node, channel: ChannelScript) -> None:
    store(channel, b"1")
    node.refuse()
    channel << Basic.nack(delivery_tag=1, multiple=False)
    node.sync()
    assert channel.client.is_quiet()


def test_refused_messages_of_one_sequence_are_nacked_together(node: Node, channel: ChannelScript) -> None:
    store(channel, b"1")
    node.sync()
    channel << Basic.ack(delivery_tag=1)
    node.store.shares_sequences = True
    store(channel, b"2", b"3", b"4")
    node.refuse()
    channel << Basic.nack(delivery_tag=4, multiple=True)
    assert channel.client.is_quiet()


def test_message_acked_while_others_waited_is_not_answered_again_when_they_are_refused(
    node: Node, channel: ChannelScript
) -> None:
    store(channel, b"1")
    channel.publish(b"2")
    channel << Basic.ack(delivery_tag=2, multiple=False)
    node.refuse()
    channel << Basic.nack(delivery_tag=1, multiple=False)
    assert channel.client.is_quiet()
    channel.publish(b"3")
    channel << Basic.ack(delivery_tag=3, multiple=False)


def test_refusal_answers_what_was_tried_and_nothing_later(node: Node, channel: ChannelScript) -> None:
    store(channel, b"1")
    tried = node.store.sequence
    store(channel, b"2")
    node.refuse(tried)
    channel << Basic.nack(delivery_tag=1, multiple=False)
    assert channel.client.is_quiet()
    node.sync()
    channel << Basic.ack(delivery_tag=2, multiple=False)


def test_unroutable_mandatory_message_comes_back_before_its_ack(node: Node, channel: ChannelScript) -> None:
    store(channel, b"1")
    channel.publish(b"2", key="nobody", mandatory=True)
    assert channel.client.method_names() == ["basic.return", "basic.ack"]


# What a queue has refused


def refused_octets(body: bytes) -> bytes:
    return octets_of(1, Basic.publish(routing_key="full", body=body))


def test_publish_that_a_queue_refuses_is_nacked(channel: ChannelScript) -> None:
    channel >> refused_octets(b"1")
    channel << Basic.nack(delivery_tag=1, multiple=False)
    channel.publish(b"2")
    channel << Basic.ack(delivery_tag=2, multiple=False)


def test_refused_publishes_of_one_turn_are_nacked_together(channel: ChannelScript) -> None:
    channel >> b"".join([refused_octets(b"x")] * 3)
    channel << Basic.nack(delivery_tag=3, multiple=True)
    assert channel.client.is_quiet()


def test_nack_names_nothing_that_was_taken(channel: ChannelScript) -> None:
    channel >> transient_octets(b"1") + refused_octets(b"2") + transient_octets(b"3") + refused_octets(b"4")
    answers = [channel << Basic.ack(), channel << Basic.ack()]
    answers += [channel << Basic.nack(), channel << Basic.nack()]
    assert [(each.delivery_tag, each.multiple) for each in answers] == [
        (1, False),
        (3, False),
        (2, False),
        (4, False),
    ]


def test_nack_waits_for_what_was_published_before_it(node: Node, channel: ChannelScript) -> None:
    channel >> stored_octets(b"1") + refused_octets(b"2") + stored_octets(b"3")
    assert channel.client.is_quiet()
    node.sync(node.store.sequence - 1)
    channel << Basic.ack(delivery_tag=1, multiple=False)
    channel << Basic.nack(delivery_tag=2, multiple=False)
    assert channel.client.is_quiet()
    node.sync()
    channel << Basic.ack(delivery_tag=3, multiple=False)


def test_what_the_store_and_a_queue_refuse_is_nacked_in_order(node: Node, channel: ChannelScript) -> None:
    channel >> stored_octets(b"1") + refused_octets(b"2")
    node.refuse()
    channel << Basic.nack(delivery_tag=1, multiple=False)
    channel << Basic.nack(delivery_tag=2, multiple=False)
    assert channel.client.is_quiet()


kinds = st.sampled_from(["stored", "transient", "unroutable", "refused"])
publishes = st.lists(st.tuples(kinds, st.booleans()), max_size=5)
moves = st.tuples(st.sampled_from(["sync", "refuse"]), st.integers(0, 4))


@thorough
@given(st.lists(st.tuples(publishes, st.none() | moves), max_size=12))
def test_answers_agree_with_a_list_of_publishes(
    turns: list[tuple[list[tuple[str, bool]], tuple[str, int] | None]],
) -> None:
    """The oracle: a publish is acked when it is safe, nacked when it is refused, once, as that turn ends.

    What a queue refuses is nacked when all before it are answered.

    In each turn there are publishes, some of which share the sequence of the one before, then a move of the
    store that may leave the last sequences aside.
    """
    node = new_node()
    channel = confirming(node)
    ledger = Ledger(node, channel)
    for turn, move in turns:
        for kind, is_shared in turn:
            ledger.publish(kind, is_shared)
        node.end_turn()
        ledger.check()
        if move is not None:
            what, aside = move
            sequence = max(0, node.store.sequence - aside)
            (node.sync if what == "sync" else node.refuse)(sequence)
            answers = ledger.check()
            assert what == "refuse" or answers <= 1 or REFUSED in ledger.sequences
    node.sync()
    ledger.check()
    assert set(ledger.answered) == set(range(1, len(ledger.sequences) + 1))


def test_what_was_published_before_a_close_is_acked_before_its_answer(channel: ChannelScript) -> None:
    publish = octets_of(1, Basic.publish(routing_key="q", body=b"x"))
    channel >> publish + method_frame(1, Channel.close())
    assert channel.client.method_names() == ["basic.ack", "channel.close_ok"]


def test_what_was_published_before_an_error_is_acked_before_the_close(channel: ChannelScript) -> None:
    publish = octets_of(1, Basic.publish(routing_key="q", body=b"x"))
    channel >> publish + octets_of(1, Basic.publish(exchange="missing", body=b"x"))
    assert channel.client.method_names() == ["basic.ack", "channel.close"]


def test_channel_opened_anew_is_not_sent_acks_of_the_old_one(channel: ChannelScript) -> None:
    publish = octets_of(1, Basic.publish(routing_key="q", body=b"x"))
    channel >> publish + method_frame(1, Channel.close()) + method_frame(1, Channel.open())
    names = channel.client.method_names()
    assert "basic.ack" not in names[names.index("channel.open_ok") :]


def test_closed_channel_is_not_sent_an_ack_when_the_disk_has_synced(
    node: Node, channel: ChannelScript
) -> None:
    store(channel, b"1")
    node.store.sync()
    channel >> octets_of(1, Basic.publish(routing_key="q", body=b"x")) + method_frame(1, Channel.close())
    assert channel.client.method_names() == ["basic.ack", "channel.close_ok"]


def test_nothing_follows_close_ok(channel: ChannelScript) -> None:
    publish = octets_of(1, Basic.publish(routing_key="q", body=b"x"))
    channel >> publish + method_frame(0, Connection.close(reply_code=200))
    channel.client.take_frames()
    assert decode_method(channel.client.log[-1].payload).name == "connection.close_ok"


def test_closed_channel_is_answered_nothing_that_still_waited(node: Node, channel: ChannelScript) -> None:
    store(channel, b"1")
    channel >> transient_octets(b"2") + stored_octets(b"3") + method_frame(1, Channel.close())
    channel << Basic.ack(delivery_tag=2, multiple=False)
    channel << Channel.close_ok()
    channel >> Channel.open()
    channel << Channel.open_ok()
    node.sync()
    assert channel.client.is_quiet()
    assert node.store.waiters == []
