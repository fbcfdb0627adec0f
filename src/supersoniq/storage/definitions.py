"""Definitions as records, the version 2 of their layout. Names and tables stand as they do on the wire.

QUEUE_DECLARED    | queue 4 | next position 8 | delivered up to 8 | auto-delete 1 | vhost | name | table |
QUEUE_DELETED     | queue 4 |
EXCHANGE_DECLARED | auto-delete 1 | internal 1 | vhost | name | kind | table |
EXCHANGE_DELETED  | vhost | name |
BOUND, UNBOUND    | to an exchange 1 | vhost | source | destination | binding key | table |
SETTING_SET       | kind | vhost | name | value: a long string |
SETTING_REMOVED   | kind | vhost | name |
"""

from librt.strings import BytesWriter, write_i64_be
from mypy_extensions import i64, u8

from supersoniq.amqp.methods import Arguments
from supersoniq.amqp.primitives import octets, text, write_longstr, write_shortstr, write_u32
from supersoniq.amqp.tables import encode_table
from supersoniq.broker.definitions import (
    BindingDefinition,
    Definition,
    ExchangeDefinition,
    QueueDefinition,
    Setting,
    SettingKey,
)
from supersoniq.broker.ports import QueueStore
from supersoniq.storage.queue_store import DiskQueueStore
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
)

ExchangeKey = tuple[str, bytes]
BindingKey = tuple[str, bytes, bytes, bool, bytes, bytes]


def write_declared(records: RecordWriter, definition: Definition) -> None:
    """Add the record that something was declared."""
    if isinstance(definition, QueueDefinition):
        kept = definition.kept
        assert isinstance(kept, DiskQueueStore)
        write_queue(records, definition, kept.number, kept.next_position, kept.delivered_last)
        return
    if isinstance(definition, ExchangeDefinition):
        writer = records.begin(EXCHANGE_DECLARED)
        _write_flag(writer, definition.auto_delete)
        _write_flag(writer, definition.internal)
        write_shortstr(writer, octets(definition.vhost))
        write_shortstr(writer, definition.name)
        write_shortstr(writer, octets(definition.kind))
        writer.write(encode_table(definition.arguments))
    elif isinstance(definition, Setting):
        writer = records.begin(SETTING_SET)
        _write_setting_key(writer, definition)
        write_longstr(writer, definition.value)
    else:
        assert isinstance(definition, BindingDefinition)
        _write_binding(records.begin(BOUND), definition)
    records.end()


def write_queue(
    records: RecordWriter, definition: QueueDefinition, number: i64, next_position: i64, delivered: i64
) -> None:
    """Add the record that a queue was declared."""
    writer = records.begin(QUEUE_DECLARED)
    write_u32(writer, number)
    write_i64_be(writer, next_position)
    write_i64_be(writer, delivered)
    _write_flag(writer, definition.auto_delete)
    write_shortstr(writer, octets(definition.vhost))
    write_shortstr(writer, definition.name)
    writer.write(encode_table(definition.arguments))
    records.end()


def write_removed(records: RecordWriter, definition: Definition) -> None:
    """Add the record that something is gone."""
    if isinstance(definition, QueueDefinition):
        kept = definition.kept
        assert isinstance(kept, DiskQueueStore)
        write_u32(records.begin(QUEUE_DELETED), kept.number)
    elif isinstance(definition, ExchangeDefinition):
        writer = records.begin(EXCHANGE_DELETED)
        write_shortstr(writer, octets(definition.vhost))
        write_shortstr(writer, definition.name)
    elif isinstance(definition, Setting):
        _write_setting_key(records.begin(SETTING_REMOVED), definition)
    else:
        assert isinstance(definition, BindingDefinition)
        _write_binding(records.begin(UNBOUND), definition)
    records.end()


def _write_binding(writer: BytesWriter, definition: BindingDefinition) -> None:
    _write_flag(writer, definition.to_exchange)
    write_shortstr(writer, octets(definition.vhost))
    write_shortstr(writer, definition.source)
    write_shortstr(writer, definition.destination)
    write_shortstr(writer, definition.binding_key)
    writer.write(encode_table({name: definition.arguments[name] for name in sorted(definition.arguments)}))


def _write_setting_key(writer: BytesWriter, setting: Setting) -> None:
    write_shortstr(writer, octets(setting.kind))
    write_shortstr(writer, octets(setting.vhost))
    write_shortstr(writer, octets(setting.name))


def kept_bytes(definition: Definition) -> i64:
    """Return about how long the record of a definition is."""
    size: i64 = DEFINITION_BYTES
    if isinstance(definition, Setting):
        size += len(definition.value)
    return size


def _write_flag(writer: BytesWriter, value: bool) -> None:
    writer.append(u8(1) if value else u8(0))


class QueueRecord:
    """A QUEUE_DECLARED record, read."""

    def __init__(self, data: bytes, at: int, stop: int) -> None:
        arguments = Arguments(data, at + RECORD_HEAD_BYTES - 4, stop)
        self.number = int(arguments.u32())
        self.next_position = int(arguments.s64())
        self.delivered = int(arguments.s64())
        self.auto_delete = arguments.u8() != 0
        self.vhost = text(arguments.shortstr())
        self.name = arguments.shortstr()
        self.arguments = arguments.table()

    def definition(self, kept: QueueStore) -> QueueDefinition:
        """Return the definition, with what keeps its messages."""
        return QueueDefinition(self.vhost, self.name, self.auto_delete, self.arguments, kept)


def read_exchange(data: bytes, at: int, stop: int) -> ExchangeDefinition:
    """Read an EXCHANGE_DECLARED record."""
    arguments = Arguments(data, at + RECORD_HEAD_BYTES - 4, stop)
    auto_delete, internal = arguments.u8() != 0, arguments.u8() != 0
    vhost, name, kind = text(arguments.shortstr()), arguments.shortstr(), text(arguments.shortstr())
    return ExchangeDefinition(vhost, name, kind, auto_delete, internal, arguments.table())


def read_exchange_key(data: bytes, at: int, stop: int) -> ExchangeKey:
    """Read what an EXCHANGE_DELETED record names."""
    arguments = Arguments(data, at + RECORD_HEAD_BYTES - 4, stop)
    return text(arguments.shortstr()), arguments.shortstr()


def read_binding(data: bytes, at: int, stop: int) -> BindingDefinition:
    """Read a BOUND or UNBOUND record."""
    arguments = Arguments(data, at + RECORD_HEAD_BYTES - 4, stop)
    to_exchange = arguments.u8() != 0
    vhost, source = text(arguments.shortstr()), arguments.shortstr()
    destination, binding_key = arguments.shortstr(), arguments.shortstr()
    return BindingDefinition(vhost, source, destination, to_exchange, binding_key, arguments.table())


def read_setting(data: bytes, at: int, stop: int) -> Setting:
    """Read a SETTING_SET record."""
    arguments = Arguments(data, at + RECORD_HEAD_BYTES - 4, stop)
    kind, vhost, name = text(arguments.shortstr()), text(arguments.shortstr()), text(arguments.shortstr())
    return Setting(kind, vhost, name, arguments.longstr())


def read_setting_key(data: bytes, at: int, stop: int) -> SettingKey:
    """Read what a SETTING_REMOVED record names."""
    arguments = Arguments(data, at + RECORD_HEAD_BYTES - 4, stop)
    return text(arguments.shortstr()), text(arguments.shortstr()), text(arguments.shortstr())


def exchange_key(definition: ExchangeDefinition) -> ExchangeKey:
    """Return what makes it the same exchange."""
    return definition.vhost, definition.name


def binding_key(definition: BindingDefinition) -> BindingKey:
    """Return what makes it the same binding."""
    arguments = encode_table({name: definition.arguments[name] for name in sorted(definition.arguments)})
    return (
        definition.vhost,
        definition.source,
        definition.destination,
        definition.to_exchange,
        definition.binding_key,
        arguments,
    )
