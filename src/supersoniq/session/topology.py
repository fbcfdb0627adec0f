"""The methods of classes exchange, queue and access: what a channel declares, binds and deletes."""

from typing import Final, final

from supersoniq.amqp.errors import AccessRefused, NotFound
from supersoniq.amqp.methods import Arguments
from supersoniq.amqp.primitives import text, write_shortstr, write_u16, write_u32
from supersoniq.amqp.spec import (
    ACCESS_REQUEST,
    ACCESS_REQUEST_OK,
    EXCHANGE_BIND,
    EXCHANGE_BIND_OK,
    EXCHANGE_DECLARE,
    EXCHANGE_DECLARE_OK,
    EXCHANGE_DELETE,
    EXCHANGE_DELETE_OK,
    EXCHANGE_UNBIND,
    EXCHANGE_UNBIND_OK,
    QUEUE_BIND,
    QUEUE_BIND_OK,
    QUEUE_DECLARE,
    QUEUE_DECLARE_OK,
    QUEUE_DELETE,
    QUEUE_DELETE_OK,
    QUEUE_PURGE,
    QUEUE_PURGE_OK,
    QUEUE_UNBIND,
    QUEUE_UNBIND_OK,
)
from supersoniq.amqp.tables import Table
from supersoniq.auth.permissions import READ
from supersoniq.broker.exchanges.kinds import check_kind
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.vhost import REPLY_PREFIX, REPLY_TO, RESERVED, VHost, check_queue_name
from supersoniq.session.access import EXCHANGE, QUEUE
from supersoniq.session.client import Client

PASSIVE: Final = 1
DURABLE: Final = 2


@final
class Topology:
    """Acts on the virtual host for one channel, and remembers the queue it declared last."""

    def __init__(self, channel: int, client: Client, vhost: VHost) -> None:
        self._channel = channel
        self._client = client
        self._output = client.output
        self._vhost = vhost
        self._current_queue = b""
        access = client.access
        assert access is not None
        self._access = access
        self._connection_name = client.path

    def method(self, method: int, arguments: Arguments) -> bool:
        """Carry out a method; false if it is none of these classes'."""
        if method == ACCESS_REQUEST:
            write_u16(self._output.begin(self._channel, ACCESS_REQUEST_OK), 1)
            self._output.end()
            return True
        client = self._client
        with self._vhost.announcer.acting(client.user, client.address, self._connection_name):
            return self._queue_method(method, arguments) or self._exchange_method(method, arguments)

    def _queue_method(self, method: int, arguments: Arguments) -> bool:
        if method == QUEUE_DECLARE:
            self._declare_queue(arguments)
        elif method == QUEUE_BIND:
            self._bind_queue(arguments)
        elif method == QUEUE_UNBIND:
            self._unbind_queue(arguments)
        elif method == QUEUE_PURGE:
            self._purge_queue(arguments)
        elif method == QUEUE_DELETE:
            self._delete_queue(arguments)
        else:
            return False
        return True

    def _exchange_method(self, method: int, arguments: Arguments) -> bool:
        if method == EXCHANGE_DECLARE:
            self._declare_exchange(arguments)
        elif method == EXCHANGE_DELETE:
            self._delete_exchange(arguments)
        elif method == EXCHANGE_BIND:
            self._bind_exchange(arguments)
        elif method == EXCHANGE_UNBIND:
            self._unbind_exchange(arguments)
        else:
            return False
        return True

    def named(self, queue: bytes) -> bytes:
        """Return the name a method means.

        An empty one stands for the queue declared last, raises 404 without one.
        """
        if queue:
            return queue
        if not self._current_queue:
            raise NotFound("no previously declared queue")
        return self._current_queue

    def readable(self, name: bytes) -> Queue:
        """Return the queue a method means; raises 403 if the user may not read from it, 404, and 405."""
        name = self.named(name)
        self._access.read(QUEUE, name)
        return self._vhost.queue(name, self._client.connection)

    def _declare_queue(self, arguments: Arguments) -> None:
        arguments.u16()
        name, bits, table = arguments.shortstr(), arguments.u8(), arguments.table()
        connection = self._client.connection
        queue: Queue | None
        if bits & PASSIVE or name.startswith(REPLY_TO):
            if name == REPLY_TO or (name.startswith(REPLY_PREFIX) and name in self._vhost.queues):
                self._declared(name, 0, 1, bits & 16 != 0)
                return
            queue = self._vhost.queue(name, connection)
            self._vhost.disuses.used(queue)
        else:
            name = name.replace(b"\r", b"").replace(b"\n", b"")
            if name:
                check_queue_name(name)
            else:
                name = self._vhost.unique_queue_name()
            self._check_declare_queue(name, table)
            queue = self._vhost.declare_queue(
                name, bits & DURABLE != 0, bits & 4 != 0, bits & 8 != 0, table, connection
            )
        self._current_queue = queue.name
        self._declared(queue.name, queue.ready_count, len(queue.consumers), bits & 16 != 0)

    def _check_declare_queue(self, name: bytes, table: Table) -> None:
        """Raise 403 unless the user may declare a queue, and dead-letter from it if it is new."""
        self._access.configure(QUEUE, name)
        is_new = name not in self._vhost.queues
        dead_letter_exchange = table.get(b"x-dead-letter-exchange") if is_new else None
        if dead_letter_exchange is not None and dead_letter_exchange.is_string:
            self._access.read(QUEUE, name)
            self._access.write(EXCHANGE, dead_letter_exchange.octets())

    def _declared(self, name: bytes, messages: int, consumers: int, nowait: bool) -> None:
        if nowait:
            return
        writer = self._output.begin(self._channel, QUEUE_DECLARE_OK)
        write_shortstr(writer, name)
        write_u32(writer, messages)
        write_u32(writer, consumers)
        self._output.end()

    def _bind_queue(self, arguments: Arguments) -> None:
        arguments.u16()
        name, exchange, binding_key = arguments.shortstr(), arguments.shortstr(), arguments.shortstr()
        nowait, table = arguments.u8() & 1, arguments.table()
        if not name and not binding_key:
            binding_key = self.named(name)
        self._check_binding(QUEUE, self.named(name), exchange, binding_key)
        queue = self._bindable(self.named(name))
        self._vhost.bind(exchange, queue, binding_key, table)
        self._answer(QUEUE_BIND_OK, nowait)

    def _unbind_queue(self, arguments: Arguments) -> None:
        arguments.u16()
        name, exchange, binding_key = arguments.shortstr(), arguments.shortstr(), arguments.shortstr()
        table = arguments.table()
        if not name and not binding_key:
            binding_key = self.named(name)
        self._check_binding(QUEUE, self.named(name), exchange, binding_key)
        queue = self._vhost.queues.get(self.named(name))
        self._vhost.unbind(exchange, queue, binding_key, table, self._client.connection)
        self._answer(QUEUE_UNBIND_OK, 0)

    def _check_binding(self, kind: str, destination: bytes, source: bytes, binding_key: bytes) -> None:
        """Raise 403 unless the user may bind, or unbind, a queue or exchange to an exchange."""
        self._access.write(kind, destination)
        if not source or (kind == EXCHANGE and not destination):
            raise AccessRefused("operation not permitted on the default exchange")
        self._access.read(EXCHANGE, source)
        exchange = self._vhost.exchanges.get(source)
        if exchange is not None:
            self._access.topic(READ, exchange, binding_key)

    def _bindable(self, name: bytes) -> Queue:
        if name.startswith(REPLY_PREFIX):
            raise AccessRefused(f"operation not permitted on the direct reply-to queue '{text(name)}'")
        return self._vhost.queue(name, self._client.connection)

    def _purge_queue(self, arguments: Arguments) -> None:
        arguments.u16()
        name, nowait = arguments.shortstr(), arguments.u8() & 1
        count = self._vhost.purge(self.readable(name))
        self._counted(QUEUE_PURGE_OK, count, nowait)

    def _delete_queue(self, arguments: Arguments) -> None:
        arguments.u16()
        name, bits = arguments.shortstr(), arguments.u8()
        name = self.named(name)
        self._access.configure(QUEUE, name)
        count = 0
        if name in self._vhost.queues:
            queue = self._vhost.queue(name, self._client.connection)
            count = self._vhost.delete_queue(queue, bits & 1 != 0, bits & 2 != 0)
        self._counted(QUEUE_DELETE_OK, count, bits & 4)

    def _declare_exchange(self, arguments: Arguments) -> None:
        arguments.u16()
        name, kind, bits, table = (
            arguments.shortstr(),
            text(arguments.shortstr()),
            arguments.u8(),
            arguments.table(),
        )
        name = name.replace(b"\r", b"").replace(b"\n", b"")
        if bits & PASSIVE:
            if not name:
                raise AccessRefused("operation not permitted on the default exchange")
            self._vhost.exchange(name)
        else:
            check_kind(kind)
            self._check_declare_exchange(name, table)
            self._vhost.declare_exchange(name, kind, bits & DURABLE != 0, bits & 4 != 0, bits & 8 != 0, table)
        self._answer(EXCHANGE_DECLARE_OK, bits & 16)

    def _check_declare_exchange(self, name: bytes, table: Table) -> None:
        """Raise 403 unless the user may declare an exchange, and give it an alternate one if it is new."""
        if not name:
            return  # nobody may
        self._access.configure(EXCHANGE, name)
        alternate = None if name in self._vhost.exchanges else table.get(b"alternate-exchange")
        if alternate is not None and alternate.is_string:
            self._access.read(EXCHANGE, name)
            self._access.write(EXCHANGE, alternate.octets())

    def _delete_exchange(self, arguments: Arguments) -> None:
        arguments.u16()
        name, bits = arguments.shortstr(), arguments.u8()
        if name and not name.startswith(RESERVED):  # nobody may delete those
            self._access.configure(EXCHANGE, name)
        self._vhost.delete_exchange(name, bits & 1 != 0)
        self._answer(EXCHANGE_DELETE_OK, bits & 2)

    def _bind_exchange(self, arguments: Arguments) -> None:
        arguments.u16()
        destination, source, binding_key = arguments.shortstr(), arguments.shortstr(), arguments.shortstr()
        nowait, table = arguments.u8() & 1, arguments.table()
        self._check_binding(EXCHANGE, destination, source, binding_key)
        self._vhost.bind(source, self._vhost.exchange(destination), binding_key, table)
        self._answer(EXCHANGE_BIND_OK, nowait)

    def _unbind_exchange(self, arguments: Arguments) -> None:
        arguments.u16()
        destination, source, binding_key = arguments.shortstr(), arguments.shortstr(), arguments.shortstr()
        nowait, table = arguments.u8() & 1, arguments.table()
        self._check_binding(EXCHANGE, destination, source, binding_key)
        target = self._vhost.exchanges.get(destination)
        self._vhost.unbind(source, target, binding_key, table, self._client.connection)
        self._answer(EXCHANGE_UNBIND_OK, nowait)

    def _answer(self, method: int, nowait: int) -> None:
        if not nowait:
            self._output.method(self._channel, method)

    def _counted(self, method: int, count: int, nowait: int) -> None:
        if not nowait:
            write_u32(self._output.begin(self._channel, method), count)
            self._output.end()
