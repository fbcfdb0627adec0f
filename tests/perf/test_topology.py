"""Who publishes and consumes where."""

from hypothesis import given
from hypothesis import strategies as st

from supersoniq.perf.options import LoadOptions
from supersoniq.perf.topology import Topology


@given(st.integers(1, 20), st.integers(1, 20))
def test_no_queue_and_no_party_is_left_out(queues: int, parties: int) -> None:
    topology = Topology(LoadOptions(queues=queues))
    shares = [topology.share(number, parties) for number in range(parties)]
    assert all(shares)
    assert {queue for share in shares for queue in share} == set(topology.queues)


def test_producers_of_a_fanout_publish_to_the_exchange() -> None:
    topology = Topology(LoadOptions(fanout=3))
    assert topology.exchange
    assert len(topology.queues) == 3
    assert topology.routing_keys(0, 1) == [""]


def test_two_runs_do_not_share_names() -> None:
    assert Topology(LoadOptions()).queues != Topology(LoadOptions()).queues


def test_existing_queues_keep_their_names() -> None:
    topology = Topology(LoadOptions(existing=("one", "two")))
    assert topology.queues == ["one", "two"]
    assert topology.exchange == ""
