"""The share of memory that one queue may use."""

from tests.fakes import FakeStore, FixedNames, message

from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost
from supersoniq.storage.share import SHARE_BYTES_MIN, MemoryShare

MIB = 1024 * 1024


def vhosts_with(count: int, bodies: int) -> dict[str, VHost]:
    """One virtual host with queues that have so many messages of 1 MiB each."""
    store = FakeStore(memory_bytes_max=16 * MIB)
    vhost = VHost("/", Turn(), store, FixedNames())
    for number in range(count):
        queue = vhost.declare_queue(b"q%d" % number, False, False, False, {}, 0)
        for _ in range(bodies):
            queue.enqueue(message(bytes(MIB)))
    return {"/": vhost}


def shares_of(vhosts: dict[str, VHost]) -> set[int]:
    return {int(queue.kept.memory_bytes_max) for queue in vhosts["/"].queues.values()}


def test_share_stays_while_all_together_use_little() -> None:
    vhosts = vhosts_with(2, 3)
    share = MemoryShare(16 * MIB, 100 * MIB)
    share.adapt(vhosts)
    assert (share.bytes, shares_of(vhosts)) == (16 * MIB, {16 * MIB})


def test_without_a_limit_of_all_there_is_the_limit_of_each() -> None:
    vhosts = vhosts_with(2, 3)
    share = MemoryShare(16 * MIB, 0)
    share.adapt(vhosts)
    assert share.bytes == 16 * MIB


def test_share_is_halved_while_all_together_use_too_much_and_the_tails_are_paged_out() -> None:
    vhosts = vhosts_with(4, 8)
    share = MemoryShare(16 * MIB, 10 * MIB)
    sizes: list[int] = []
    for _ in range(3):
        share.adapt(vhosts)
        sizes.append(share.bytes // MIB)
        assert shares_of(vhosts) == {share.bytes}
    assert sizes == [8, 4, 2]
    assert vhosts["/"].memory_bytes() <= 10 * MIB
    assert all(queue.ready_count == 8 for queue in vhosts["/"].queues.values())


def test_share_has_a_lower_bound() -> None:
    vhosts = vhosts_with(1, 2)
    share = MemoryShare(SHARE_BYTES_MIN, 1)
    share.adapt(vhosts)
    assert share.bytes == SHARE_BYTES_MIN


def test_share_grows_again_up_to_what_it_was_when_less_than_half_is_used() -> None:
    vhosts = vhosts_with(4, 8)
    share = MemoryShare(16 * MIB, 10 * MIB)
    for _ in range(3):
        share.adapt(vhosts)
    for queue in vhosts["/"].queues.values():
        queue.purge()
    sizes: list[int] = []
    for _ in range(5):
        share.adapt(vhosts)
        sizes.append(share.bytes // MIB)
    assert sizes[-2:] == [16, 16]
    assert sizes == sorted(sizes)
    assert shares_of(vhosts) == {16 * MIB}


def test_queues_are_not_added_up_where_the_whole_process_uses_less() -> None:
    vhosts = vhosts_with(4, 8)
    share = MemoryShare(16 * MIB, 10 * MIB)
    share.adapt(vhosts, 10 * MIB)
    assert share.bytes == 16 * MIB
    share.adapt(vhosts, 10 * MIB + 1)
    assert share.bytes == 8 * MIB
