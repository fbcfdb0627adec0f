"""Settings go into the store as JSON, once for each change, and as a whole where that is asked for."""

import pytest
from tests.fakes import FakeStore

from supersoniq.control.kept import Kept


def test_what_is_the_same_is_not_written_again() -> None:
    store = FakeStore()
    kept = Kept(store)
    first = kept.put("user", "", "a", {"x": 1})
    assert kept.put("user", "", "a", {"x": 1}) == first
    assert kept.put("user", "", "a", {"x": 2}) > first
    assert store.log == ["declared user /a"] * 2
    assert [setting.value for setting in store.settings()] == [b'{"x":2}']


def test_what_is_not_there_is_not_removed_twice() -> None:
    store = FakeStore()
    kept = Kept(store)
    kept.put("user", "", "a", 1)
    last = kept.remove("user", "", "a")
    assert kept.remove("user", "", "a") == last
    assert store.log == ["declared user /a", "removed user /a"]
    assert kept.known() == []


def test_what_was_there_before_is_known() -> None:
    store = FakeStore()
    Kept(store).put("user", "", "a", 1)
    kept = Kept(store)
    assert [setting.key for setting in kept.recall()] == [("user", "", "a")]
    kept.put("user", "", "a", 1)
    assert len(store.log) == 1


def test_together_is_one_transaction_also_within_another() -> None:
    store = FakeStore()
    kept = Kept(store)
    with kept.together():
        kept.put("user", "", "a", 1)
        with kept.together():
            kept.put("user", "", "b", 1)
    assert store.log == ["begin", "declared user /a", "declared user /b", "commit"]
    assert kept.sequence == store.sequence


def test_together_ends_when_something_is_refused() -> None:
    store = FakeStore()
    with pytest.raises(ValueError, match="no"), Kept(store).together():
        raise ValueError("no")
    assert not store.is_in_transaction
