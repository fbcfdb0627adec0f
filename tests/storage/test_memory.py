"""The store of memory promises nothing, so nobody waits for it."""

import pytest
from tests.fakes import message

from supersoniq.broker.definitions import ExchangeDefinition, Setting
from supersoniq.broker.ports import Page
from supersoniq.storage.memory import MemoryStore


def test_message_is_safe_at_once() -> None:
    store = MemoryStore()
    queues = [store.open_queue(True), store.open_queue(True)]
    published = message(b"body", persistent=True)
    assert store.append(published, queues) == 0
    assert published.stored == 0
    assert store.durable() == 0


def test_definition_and_transaction_are_safe_at_once() -> None:
    store = MemoryStore()
    definition = ExchangeDefinition("/", b"e", "fanout", False, False, {})
    assert store.declared(definition) == 0
    store.begin()
    assert store.commit() == 0
    assert store.declared(Setting("user", "", "guest", b"{}")) == 0
    assert store.settings() == []
    assert store.removed(definition) == 0
    assert store.durable() == store.refused() == 0


@pytest.mark.parametrize("durable", [False, True])
def test_queue_has_nowhere_to_write_pages(durable: bool) -> None:
    kept = MemoryStore().open_queue(durable)
    assert (kept.next_position, kept.memory_bytes_max) == (1, 0)
    with pytest.raises(AssertionError):
        kept.write_page([])
    for use in (kept.read_page, kept.settled_page):
        with pytest.raises(AssertionError):
            use(Page(1, 1, 1, 1))


def test_queues_count_for_themselves() -> None:
    store = MemoryStore()
    one, other = store.open_queue(True), store.open_queue(True)
    one.next_position += 1
    assert other.next_position == 1
