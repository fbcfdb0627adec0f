"""Taking messages for a request: what is held meanwhile is known to the store, and goes back to its place."""

import asyncio

import pytest
from tests.fakes import message
from tests.session.script import Node

from supersoniq.broker.queues.queue import Queue
from supersoniq.management.taking import (
    ACK_REQUEUE_FALSE,
    ACK_REQUEUE_TRUE,
    REJECT_REQUEUE_FALSE,
    Taking,
)
from supersoniq.server.slices import Slices


class Watching(Slices):
    """Notes what is held, each time others have their turn."""

    def __init__(self, taking: Taking, fails_at: int = 0) -> None:
        super().__init__()
        self.held_counts: list[int] = []
        self._taking = taking
        self._fails_at = fails_at

    async def breathe(self) -> None:
        self.held_counts.append(len(self._taking.held()))
        if len(self.held_counts) == self._fails_at:
            raise asyncio.CancelledError


def queue_of(node: Node, count: int) -> Queue:
    queue = node.vhost.declare_queue(b"q", False, False, False, {}, 0)
    for number in range(count):
        queue.enqueue(message(str(number).encode()))
    return queue


def bodies(queue: Queue) -> list[bytes]:
    return [entry.message.body for entry in queue.browse(0, 100)]


def test_messages_go_back_in_order() -> None:
    node = Node()
    queue = queue_of(node, 5)
    taking = Taking(node.vhost, queue)
    watching = Watching(taking)
    taken = asyncio.run(taking.take(3, ACK_REQUEUE_TRUE, watching))
    assert [(each.message.body, each.left_count) for each in taken] == [(b"0", 4), (b"1", 3), (b"2", 2)]
    assert watching.held_counts == [1, 2, 3]
    assert bodies(queue) == [b"0", b"1", b"2", b"3", b"4"]
    assert taking not in node.vhost.holders


@pytest.mark.parametrize("mode", [ACK_REQUEUE_FALSE, REJECT_REQUEUE_FALSE])
def test_messages_are_gone_if_that_is_wanted(mode: str) -> None:
    node = Node()
    queue = queue_of(node, 5)
    asyncio.run(Taking(node.vhost, queue).take(3, mode, Slices()))
    assert bodies(queue) == [b"3", b"4"]
    assert queue.unacked_count == 0


def test_request_that_is_given_up_puts_everything_back() -> None:
    node = Node()
    queue = queue_of(node, 5)
    taking = Taking(node.vhost, queue)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(taking.take(5, ACK_REQUEUE_TRUE, Watching(taking, fails_at=3)))
    assert bodies(queue) == [b"0", b"1", b"2", b"3", b"4"]
    assert taking not in node.vhost.holders
