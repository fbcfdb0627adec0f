"""What connections share."""

from tests.session.script import Node

from supersoniq.session.context import Limits


def test_ids_grow_and_are_never_zero() -> None:
    context = Node().context
    assert [context.next_id() for _ in range(3)] == [1, 2, 3]


def test_nodes_share_nothing() -> None:
    one, other = Node(), Node()
    one.queue(b"only here")
    one.context.alarm.is_on = True
    assert not other.vhost.queues
    assert not other.context.alarm.is_on


def test_alarm_is_off_at_first() -> None:
    assert not Node().context.alarm.is_on


def test_limits_are_those_of_rabbitmq_unless_said_otherwise() -> None:
    limits = Limits()
    assert (limits.channel_max, limits.frame_max_bytes, limits.heartbeat_seconds) == (2047, 131_072, 60)
    assert Limits(frame_max_bytes=4096).frame_max_bytes == 4096
