"""Whatever a client sends, its session answers or closes with the right code, and nobody else notices.

A failing seed is run again by `garbage.run(123)`.
"""

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.codec import PROTOCOL_HEADER, Connection
from tests.definitions import thorough
from tests.session import garbage
from tests.session.script import Node

SOAK_SECONDS = 45


@pytest.mark.parametrize("seed", range(200))
def test_seed_disturbs_nobody(seed: int) -> None:
    garbage.run(seed)


@thorough
@given(st.binary(max_size=200))
def test_any_octets_are_answered_or_close_the_connection(data: bytes) -> None:
    node = Node()
    client = node.client()
    client.channel()
    client.feed(data)
    garbage.check_answers(client)
    bystander = garbage.Bystander(node)
    bystander.works()


@thorough
@given(st.binary(max_size=100))
def test_any_octets_instead_of_a_handshake_are_answered_or_close_the_connection(data: bytes) -> None:
    client = Node().stranger()
    client >> PROTOCOL_HEADER
    client << Connection.start()
    client.feed(data)
    garbage.check_answers(client)


@pytest.mark.soak
@pytest.mark.timeout(2 * SOAK_SECONDS)
def test_many_seeds_disturb_nobody() -> None:
    seed = first = int(os.environ.get("SEED", time.time_ns() % 2**32))
    deadline = time.monotonic() + SOAK_SECONDS
    while time.monotonic() < deadline:
        seed += 1
        try:
            garbage.run(seed)
        except Exception as error:
            raise AssertionError(f"seed {seed}, the {seed - first}. of this run") from error
