"""The store of memory promises nothing, so nobody waits for it."""

from tests.fakes import message

from supersoniq.storage.memory import MemoryStore


def test_message_is_safe_at_once() -> None:
    store = MemoryStore()
    assert store.append(message(b"body", persistent=True), 3) == 0
    assert store.durable() == 0


def test_message_can_be_forgotten_as_often_as_there_are_queues() -> None:
    store = MemoryStore()
    stored = message(b"body", persistent=True)
    store.append(stored, 2)
    store.discard(stored)
    store.discard(stored)
    assert store.durable() == 0
