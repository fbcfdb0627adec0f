"""Definitions as records: what was declared is read back, and what is removed is recognised."""

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes import FakeQueueStore
from tests.storage.simulated_disk import SimulatedDisk
from tests.storage.stepped import SimulatedMarks

from supersoniq.amqp.tables import Field, Table, encode_table, same_tables, table_of
from supersoniq.broker.definitions import BindingDefinition, ExchangeDefinition, QueueDefinition, Setting
from supersoniq.broker.turn import Turn
from supersoniq.storage.commit import SYNC_ALWAYS
from supersoniq.storage.definitions import (
    QueueRecord,
    binding_key,
    exchange_key,
    kept_bytes,
    read_binding,
    read_exchange,
    read_exchange_key,
    read_setting,
    read_setting_key,
    write_declared,
    write_queue,
    write_removed,
)
from supersoniq.storage.disk import Disk
from supersoniq.storage.journal import Journal
from supersoniq.storage.queue_store import NO_SLOT, DiskQueueStore, Shared
from supersoniq.storage.records import (
    BOUND,
    DEFINITION_BYTES,
    EXCHANGE_DECLARED,
    EXCHANGE_DELETED,
    QUEUE_DECLARED,
    QUEUE_DELETED,
    RECORD_HEAD_BYTES,
    SETTING_REMOVED,
    SETTING_SET,
    UNBOUND,
    RecordWriter,
    record_end,
)
from supersoniq.storage.share import MemoryShare
from supersoniq.storage.worker import InlineWorker

NAMES = st.binary(max_size=255)
TEXTS = st.text(max_size=60).filter(lambda text: len(text.encode()) <= 255)
VALUES: st.SearchStrategy[object] = st.recursive(
    st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.text(max_size=20) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
TABLES: st.SearchStrategy[Table] = st.dictionaries(st.text(min_size=1, max_size=10), VALUES, max_size=4).map(
    table_of
)


def record_of(writer: RecordWriter, kind: int) -> bytes:
    """The one record that was written."""
    data = b"".join(writer.take())
    assert data[8] == kind
    assert record_end(data, memoryview(data), 0, len(data), 0) == len(data)
    return data


def kept_of(number: int) -> DiskQueueStore:
    disk: Disk = SimulatedDisk()
    journal = Journal(disk, InlineWorker(), InlineWorker(), 1, SYNC_ALWAYS)
    shared = Shared(disk, journal, InlineWorker(), SimulatedMarks(), Turn(), 1, MemoryShare(0, 0))
    return DiskQueueStore(shared, number, True, NO_SLOT)


@given(TEXTS, NAMES, TEXTS, st.booleans(), st.booleans(), TABLES)
def test_exchange_is_read_back(
    vhost: str, name: bytes, kind: str, auto_delete: bool, internal: bool, arguments: Table
) -> None:
    writer = RecordWriter()
    definition = ExchangeDefinition(vhost, name, kind, auto_delete, internal, arguments)
    write_declared(writer, definition)
    data = record_of(writer, EXCHANGE_DECLARED)
    found = read_exchange(data, 0, len(data))
    assert (found.vhost, found.name, found.kind) == (vhost, name, kind)
    assert (found.auto_delete, found.internal) == (auto_delete, internal)
    assert same_tables(found.arguments, arguments)
    write_removed(writer, definition)
    data = record_of(writer, EXCHANGE_DELETED)
    assert read_exchange_key(data, 0, len(data)) == exchange_key(found) == (vhost, name)


@given(
    TEXTS,
    NAMES,
    st.booleans(),
    TABLES,
    st.integers(0, 2**32 - 1),
    st.integers(1, 2**60),
    st.integers(0, 2**60),
)
def test_queue_is_read_back_with_how_far_it_was(
    vhost: str, name: bytes, auto_delete: bool, arguments: Table, number: int, position: int, delivered: int
) -> None:
    writer = RecordWriter()
    kept = FakeQueueStore()
    definition = QueueDefinition(vhost, name, auto_delete, arguments, kept)
    write_queue(writer, definition, number, position, delivered)
    data = record_of(writer, QUEUE_DECLARED)
    found = QueueRecord(data, 0, len(data))
    assert (found.number, found.next_position, found.delivered) == (number, position, delivered)
    again = found.definition(kept)
    assert (again.vhost, again.name, again.auto_delete, again.kept) == (vhost, name, auto_delete, kept)
    assert same_tables(again.arguments, arguments)


def test_record_of_a_queue_says_what_its_store_knows() -> None:
    kept = kept_of(77)
    kept.next_position = 12
    kept.delivered_last = 9
    writer = RecordWriter()
    definition = QueueDefinition("/", b"q", False, {}, kept)
    write_declared(writer, definition)
    data = record_of(writer, QUEUE_DECLARED)
    found = QueueRecord(data, 0, len(data))
    assert (found.number, found.next_position, found.delivered) == (77, 12, 9)
    write_removed(writer, definition)
    data = record_of(writer, QUEUE_DELETED)
    assert int.from_bytes(data[RECORD_HEAD_BYTES:], "big") == 77


@given(TEXTS, NAMES, NAMES, st.booleans(), NAMES, TABLES)
def test_binding_is_read_back_and_recognised_when_it_is_removed(
    vhost: str, source: bytes, destination: bytes, to_exchange: bool, key: bytes, arguments: Table
) -> None:
    writer = RecordWriter()
    definition = BindingDefinition(vhost, source, destination, to_exchange, key, arguments)
    write_declared(writer, definition)
    data = record_of(writer, BOUND)
    found = read_binding(data, 0, len(data))
    assert (found.vhost, found.source, found.destination) == (vhost, source, destination)
    assert (found.to_exchange, found.binding_key) == (to_exchange, key)
    assert same_tables(found.arguments, arguments)
    write_removed(writer, definition)
    removed = record_of(writer, UNBOUND)
    assert removed[RECORD_HEAD_BYTES:] == data[RECORD_HEAD_BYTES:]
    assert binding_key(read_binding(removed, 0, len(removed))) == binding_key(found)


@given(TEXTS, TEXTS, TEXTS, st.binary(max_size=2_000))
def test_setting_is_read_back_and_recognised_when_it_is_removed(
    kind: str, vhost: str, name: str, value: bytes
) -> None:
    writer = RecordWriter()
    setting = Setting(kind, vhost, name, value)
    write_declared(writer, setting)
    data = record_of(writer, SETTING_SET)
    found = read_setting(data, 0, len(data))
    assert (found.kind, found.vhost, found.name, found.value) == (kind, vhost, name, value)
    write_removed(writer, setting)
    data = record_of(writer, SETTING_REMOVED)
    assert read_setting_key(data, 0, len(data)) == found.key == (kind, vhost, name)


def test_setting_takes_as_much_more_as_its_value() -> None:
    assert kept_bytes(Setting("policy", "/", "p", b"x" * 5_000)) == DEFINITION_BYTES + 5_000
    assert kept_bytes(bound()) == DEFINITION_BYTES


def bound(**changes: object) -> BindingDefinition:
    values: dict[str, object] = {
        "vhost": "/",
        "source": b"e",
        "destination": b"q",
        "to_exchange": False,
        "binding_key": b"k",
        "arguments": table_of({"a": 1, "b": 2}),
    }
    values.update(changes)
    return BindingDefinition(
        cast(str, values["vhost"]),
        cast(bytes, values["source"]),
        cast(bytes, values["destination"]),
        cast(bool, values["to_exchange"]),
        cast(bytes, values["binding_key"]),
        cast(Table, values["arguments"]),
    )


def test_bindings_are_the_same_whatever_the_order_of_their_arguments() -> None:
    other = bound(arguments=table_of({"b": 2, "a": 1}))
    assert encode_table(other.arguments) != encode_table(bound().arguments)
    assert binding_key(other) == binding_key(bound())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("vhost", "other"),
        ("source", b"f"),
        ("destination", b"r"),
        ("to_exchange", True),
        ("binding_key", b"l"),
        ("arguments", {}),
        ("arguments", table_of({"a": 1, "b": 3})),
    ],
)
def test_bindings_differ_in_anything(name: str, value: object) -> None:
    assert binding_key(bound(**{name: value})) != binding_key(bound())


def test_every_kind_of_argument_survives() -> None:
    fields = {kind: Field(ord(kind), 5) for kind in "bBsuIilLT"}
    fields["t"] = Field(ord("t"), True)
    fields |= {"f": Field(ord("f"), 1.5), "d": Field(ord("d"), 0.1), "D": Field(ord("D"), (2, 314))}
    fields |= {"S": Field(ord("S"), b"text"), "x": Field(ord("x"), b"\xff\0"), "V": Field(ord("V"), None)}
    fields["A"] = Field(ord("A"), list(fields.values()))
    fields["F"] = Field(ord("F"), {name.encode(): field for name, field in fields.items()})
    arguments: Table = {name.encode(): field for name, field in fields.items()}
    writer = RecordWriter()
    write_queue(writer, QueueDefinition("/", b"q", True, arguments, FakeQueueStore()), 1, 1, 0)
    data = record_of(writer, QUEUE_DECLARED)
    assert encode_table(QueueRecord(data, 0, len(data)).arguments) == encode_table(arguments)
