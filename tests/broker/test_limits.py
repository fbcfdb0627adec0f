"""Limits of virtual hosts and users: what they let through, and how they refuse the rest."""

import pytest
from tests.fakes import FakeStore, FixedNames

from supersoniq.amqp.errors import NotAllowed, PreconditionFailed
from supersoniq.amqp.tables import table_of
from supersoniq.broker.limits import UserLimits, VHostLimits
from supersoniq.broker.turn import Turn
from supersoniq.broker.validation import ValidationFailed
from supersoniq.broker.vhost import VHost


def test_without_limits_there_is_no_end() -> None:
    vhost, user = VHostLimits(), UserLimits()
    vhost.connection_count = user.connection_count = user.channel_count = 10**9
    vhost.check_queue("/", b"q", 10**9)
    vhost.check_connection("/", "ann")
    user.check_connection("ann")
    user.check_channel("ann")
    assert vhost.definition() == user.definition() == {}


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_virtual_host_takes_as_many_as_its_limits_say(limit: int) -> None:
    limits = VHostLimits()
    limits.put({"max-queues": limit, "max-connections": limit})
    for count in range(limit):
        limits.check_queue("v", b"q", count)
        limits.check_connection("v", "ann")
        limits.connection_count += 1
    with pytest.raises(PreconditionFailed) as queue_refused:
        limits.check_queue("v", b"q", limit)
    assert (
        queue_refused.value.text == f"cannot declare queue 'q': queue limit in vhost 'v' ({limit}) is reached"
    )
    with pytest.raises(NotAllowed) as refused:
        limits.check_connection("v", "ann")
    assert (
        refused.value.text
        == f"access to vhost 'v' refused for user 'ann': connection limit ({limit}) is reached"
    )


@pytest.mark.parametrize("limit", [0, 2])
def test_user_takes_as_many_as_the_limits_say(limit: int) -> None:
    limits = UserLimits()
    limits.put({"max-channels": limit, "max-connections": limit})
    for _ in range(limit):
        limits.check_connection("ann")
        limits.check_channel("ann")
        limits.connection_count += 1
        limits.channel_count += 1
    with pytest.raises(NotAllowed) as refused:
        limits.check_connection("ann")
    assert (
        refused.value.text == f"connection refused for user 'ann': user connection limit ({limit}) is reached"
    )
    with pytest.raises(NotAllowed) as channel_refused:
        limits.check_channel("ann")
    assert channel_refused.value.text == (
        f"number of channels opened for user 'ann' has reached the maximum allowed user limit of ({limit})"
    )


def test_limits_are_set_one_by_one_and_lifted_by_negative_ones() -> None:
    limits = VHostLimits()
    limits.put({"max-queues": 5})
    limits.put({"max-connections": 0})
    assert limits.definition() == {"max-connections": 0, "max-queues": 5}
    limits.put({"max-queues": -2})
    assert limits.definition() == {"max-connections": 0}
    user = UserLimits()
    user.put({"max-channels": 7, "max-connections": 10**30})
    assert user.definition() == {"max-channels": 7}


@pytest.mark.parametrize(
    ("values", "reasons"),
    [
        ({"max-foo": 5}, ['Unrecognised terms [{<<"max-foo">>,5}] in limits']),
        ({"max-queues": "x"}, ['max-queues should be a number, actually was <<"x">>']),
        (
            {"max-queues": 1.5, "max-foo": 4},
            [
                'Unrecognised terms [{<<"max-foo">>,4}] in limits',
                "max-queues should be a number, actually was 1.5",
            ],
        ),
    ],
)
def test_what_is_no_limit_is_refused_as_a_whole(values: dict[str, object], reasons: list[str]) -> None:
    limits = VHostLimits()
    with pytest.raises(ValidationFailed) as caught:
        limits.put({"max-connections": 3, **values})
    assert str(caught.value).splitlines()[2:] == reasons
    assert limits.definition() == {}


def test_users_have_limits_of_their_own() -> None:
    with pytest.raises(ValidationFailed, match="in user-limits"):
        UserLimits().put({"max-queues": 1})


def test_virtual_host_counts_the_queues_that_were_declared() -> None:
    vhost = VHost("/", Turn(), FakeStore(), FixedNames())
    vhost.limits.put({"max-queues": 2})
    vhost.open_reply_queue()
    for name in (b"a", b"b", b"a"):
        vhost.declare_queue(name, False, False, False, {}, 1)
    wrong = table_of({"x-expires": "never"})
    with pytest.raises(PreconditionFailed, match=r"cannot declare queue 'c': queue limit in vhost '/' \(2\)"):
        vhost.declare_queue(b"c", False, True, False, wrong, 1)
    vhost.delete_queue(vhost.queues[b"a"], False, False)
    vhost.declare_queue(b"c", False, True, False, {}, 1)
