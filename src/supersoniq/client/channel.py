"""A client's channel: synchronous methods whose replies are awaited, and the contents that come."""

import asyncio
from collections import deque
from typing import Final, final

from librt.strings import BytesWriter
from mypy_extensions import i64

from supersoniq.amqp.methods import Arguments, begin_method, end_method, write_method
from supersoniq.amqp.primitives import (
    octets,
    read_s64,
    read_u32,
    text,
    write_s64,
    write_shortstr,
    write_u8,
    write_u16,
    write_u32,
)
from supersoniq.amqp.spec import (
    BASIC_ACK,
    BASIC_CANCEL,
    BASIC_CANCEL_OK,
    BASIC_CONSUME,
    BASIC_CONSUME_OK,
    BASIC_DELIVER,
    BASIC_NACK,
    BASIC_QOS,
    BASIC_QOS_OK,
    BASIC_RETURN,
    CHANNEL_CLOSE,
    CHANNEL_CLOSE_OK,
    CHANNEL_FLOW,
    CHANNEL_FLOW_OK,
    CHANNEL_OPEN,
    CHANNEL_OPEN_OK,
    CONFIRM_SELECT,
    CONFIRM_SELECT_OK,
    EXCHANGE_DECLARE,
    EXCHANGE_DECLARE_OK,
    EXCHANGE_DELETE,
    EXCHANGE_DELETE_OK,
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
    REPLY_SUCCESS,
)
from supersoniq.amqp.tables import encode_table, table_of
from supersoniq.client.errors import ChannelClosed, ClientError, ConnectionLost
from supersoniq.client.listener import Listener
from supersoniq.client.wire import Wire

EMPTY_TABLE: Final = b"\x00\x00\x00\x00"


@final
class QueueDeclared:
    """What queue.declare-ok says."""

    def __init__(self, name: str, message_count: int, consumer_count: int) -> None:
        self.name = name
        self.message_count = message_count
        self.consumer_count = consumer_count


@final
class Channel:
    """Made by `Connection.channel`. Methods raise ChannelClosed or ConnectionClosed if the server closes."""

    def __init__(self, wire: Wire, number: int, listener: Listener) -> None:
        self.number = number
        self.error: ClientError | None = None
        self.is_closed = False
        self.returned_count: int = 0
        self._wire = wire
        self._listener = listener
        self._replies: deque[tuple[int, asyncio.Future[Arguments]]] = deque()
        self._content: i64 = 0
        self._delivery_tag: i64 = 0
        self._missing_bytes: i64 = 0
        self._pieces: list[bytes] = []

    # --- methods that the server answers ---------------------------------------------------------

    async def open(self) -> None:
        """Open the channel; `Connection.channel` has done so."""
        at = self._begin(CHANNEL_OPEN)
        write_shortstr(self._wire.out, b"")
        await self._call(at, CHANNEL_OPEN_OK)

    async def close(self) -> None:
        """Close the channel; nothing happens if it is closed."""
        if self.is_closed:
            return
        at = self._begin(CHANNEL_CLOSE)
        _write_close(self._wire.out, REPLY_SUCCESS, b"")
        await self._call(at, CHANNEL_CLOSE_OK)
        self.fail(ConnectionLost("the channel was closed by this side"))

    async def flow(self, active: bool) -> bool:
        """Pause or resume deliveries; returns what the server says it does."""
        at = self._begin(CHANNEL_FLOW)
        write_u8(self._wire.out, 1 if active else 0)
        reply = await self._call(at, CHANNEL_FLOW_OK)
        return reply.u8() & 1 != 0

    async def qos(self, prefetch_count: int, whole_channel: bool = False) -> None:
        """Limit unacked deliveries: for each new consumer, or for the `whole_channel`."""
        at = self._begin(BASIC_QOS)
        write_u32(self._wire.out, 0)
        write_u16(self._wire.out, prefetch_count)
        write_u8(self._wire.out, 1 if whole_channel else 0)
        await self._call(at, BASIC_QOS_OK)

    async def confirm_select(self) -> None:
        """Have publishes confirmed, to `Listener.confirmed`."""
        at = self._begin(CONFIRM_SELECT)
        write_u8(self._wire.out, 0)
        await self._call(at, CONFIRM_SELECT_OK)

    async def exchange_declare(
        self, name: str, kind: str, durable: bool = False, auto_delete: bool = False, passive: bool = False
    ) -> None:
        """Declare an exchange."""
        at = self._begin(EXCHANGE_DECLARE)
        out = self._wire.out
        write_u16(out, 0)
        write_shortstr(out, octets(name))
        write_shortstr(out, octets(kind))
        write_u8(out, _bits(passive, durable, auto_delete))
        out.write(EMPTY_TABLE)
        await self._call(at, EXCHANGE_DECLARE_OK)

    async def exchange_delete(self, name: str) -> None:
        """Delete an exchange."""
        at = self._begin(EXCHANGE_DELETE)
        write_u16(self._wire.out, 0)
        write_shortstr(self._wire.out, octets(name))
        write_u8(self._wire.out, 0)
        await self._call(at, EXCHANGE_DELETE_OK)

    async def queue_declare(
        self,
        name: str,
        passive: bool = False,
        durable: bool = False,
        exclusive: bool = False,
        auto_delete: bool = False,
        arguments: dict[str, object] | None = None,
    ) -> QueueDeclared:
        """Declare a queue; an empty `name` lets the server choose one."""
        at = self._begin(QUEUE_DECLARE)
        out = self._wire.out
        write_u16(out, 0)
        write_shortstr(out, octets(name))
        write_u8(out, _bits(passive, durable, exclusive, auto_delete))
        out.write(EMPTY_TABLE if arguments is None else encode_table(table_of(arguments)))
        reply = await self._call(at, QUEUE_DECLARE_OK)
        queue = text(reply.shortstr())
        message_count = reply.u32()
        return QueueDeclared(queue, message_count, reply.u32())

    async def queue_bind(self, queue: str, exchange: str, binding_key: str = "") -> None:
        """Bind a queue to an exchange."""
        at = self._begin(QUEUE_BIND)
        self._write_binding(queue, exchange, binding_key)
        write_u8(self._wire.out, 0)
        self._wire.out.write(EMPTY_TABLE)
        await self._call(at, QUEUE_BIND_OK)

    async def queue_unbind(self, queue: str, exchange: str, binding_key: str = "") -> None:
        """Take back what `queue_bind` did."""
        at = self._begin(QUEUE_UNBIND)
        self._write_binding(queue, exchange, binding_key)
        self._wire.out.write(EMPTY_TABLE)
        await self._call(at, QUEUE_UNBIND_OK)

    async def queue_purge(self, queue: str) -> int:
        """Drop the ready messages of a queue; returns how many there were."""
        at = self._begin(QUEUE_PURGE)
        write_u16(self._wire.out, 0)
        write_shortstr(self._wire.out, octets(queue))
        write_u8(self._wire.out, 0)
        reply = await self._call(at, QUEUE_PURGE_OK)
        return reply.u32()

    async def queue_delete(self, queue: str) -> int:
        """Delete a queue, empty or not; returns how many ready messages went with it."""
        at = self._begin(QUEUE_DELETE)
        write_u16(self._wire.out, 0)
        write_shortstr(self._wire.out, octets(queue))
        write_u8(self._wire.out, 0)
        reply = await self._call(at, QUEUE_DELETE_OK)
        return reply.u32()

    async def consume(self, queue: str, no_ack: bool = False, consumer_tag: str = "") -> str:
        """Have a queue's messages delivered to `Listener.delivered`; returns the consumer tag."""
        at = self._begin(BASIC_CONSUME)
        out = self._wire.out
        write_u16(out, 0)
        write_shortstr(out, octets(queue))
        write_shortstr(out, octets(consumer_tag))
        write_u8(out, _bits(False, no_ack))
        out.write(EMPTY_TABLE)
        reply = await self._call(at, BASIC_CONSUME_OK)
        return text(reply.shortstr())

    async def cancel(self, consumer_tag: str) -> None:
        """End a consumer."""
        at = self._begin(BASIC_CANCEL)
        write_shortstr(self._wire.out, octets(consumer_tag))
        write_u8(self._wire.out, 0)
        await self._call(at, BASIC_CANCEL_OK)

    # --- methods that it does not answer ---------------------------------------------------------

    def ack(self, delivery_tag: i64, multiple: bool) -> None:
        """Append an ack to the wire's `out`: it leaves at the end of the turn, or with `flush`."""
        at = self._begin(BASIC_ACK)
        write_s64(self._wire.out, delivery_tag)
        write_u8(self._wire.out, 1 if multiple else 0)
        end_method(self._wire.out, at)

    # --- what comes, called by the connection ----------------------------------------------------

    def method(self, data: bytes, start: i64, end: i64) -> None:
        """Take a method."""
        number = read_u32(data, start)
        if number == BASIC_DELIVER:
            self._delivery_tag = read_s64(data, start + 5 + i64(data[start + 4]))
            self._content = number
        elif number in (BASIC_ACK, BASIC_NACK):
            tag = read_s64(data, start + 4)
            self._listener.confirmed(self.number, tag, data[start + 12] & 1 != 0, number == BASIC_ACK)
        else:
            self._rare_method(int(number), Arguments(data[start:end], 0, end - start))

    def _rare_method(self, number: int, arguments: Arguments) -> None:
        if number == CHANNEL_CLOSE:
            self._closed_by_server(arguments)
        elif number == BASIC_RETURN:
            self._content = number
            self.returned_count += 1
        elif number == BASIC_CANCEL:
            self._listener.cancelled(self.number, arguments.shortstr())
        elif number == CHANNEL_FLOW:
            at = self._begin(CHANNEL_FLOW_OK)
            write_u8(self._wire.out, arguments.u8())
            end_method(self._wire.out, at)
        else:
            self._reply(number, arguments)

    def _closed_by_server(self, arguments: Arguments) -> None:
        reply_code = arguments.u16()
        error = ChannelClosed(reply_code, text(arguments.shortstr()))
        write_method(self._wire.out, self.number, CHANNEL_CLOSE_OK)
        self.fail(error)
        self._listener.channel_closed(self.number, error)

    def _reply(self, number: int, arguments: Arguments) -> None:
        if not self._replies:
            return
        expected, future = self._replies.popleft()
        if future.done():
            return
        if expected == number:
            future.set_result(arguments)
        else:
            future.set_exception(
                ConnectionLost(f"the server answered with method {number:#x} to {expected:#x}")
            )

    def header(self, data: bytes, start: i64, end: i64) -> None:
        """Take a content header."""
        self._missing_bytes = read_s64(data, start + 4)
        if self._missing_bytes == 0:
            self._complete(data, start, start)

    def body(self, data: bytes, start: i64, end: i64) -> None:
        """Take a piece of a body."""
        self._missing_bytes -= end - start
        if self._missing_bytes > 0:
            self._pieces.append(data[start:end])
        elif self._pieces:
            self._pieces.append(data[start:end])
            whole = b"".join(self._pieces)
            self._pieces = []
            self._complete(whole, 0, i64(len(whole)))
        else:
            self._complete(data, start, end)

    def _complete(self, data: bytes, start: i64, end: i64) -> None:
        if self._content == BASIC_DELIVER:
            self._listener.delivered(self.number, self._delivery_tag, data, start, end)

    def fail(self, error: ClientError) -> None:
        """Close without a word to the server; whatever waits for a reply gets `error`."""
        self.is_closed = True
        self.error = error
        while self._replies:
            future = self._replies.popleft()[1]
            if not future.done():
                future.set_exception(error)

    # --- below -----------------------------------------------------------------------------------

    def _begin(self, method: i64) -> i64:
        return begin_method(self._wire.out, self.number, method)

    def _call(self, at: i64, reply: int) -> "asyncio.Future[Arguments]":
        """Send the method begun at `at`; the future gets the arguments of its `reply`."""
        end_method(self._wire.out, at)
        future: asyncio.Future[Arguments] = asyncio.get_running_loop().create_future()
        if self.error is not None:
            self._wire.out.truncate(at - 3)
            future.set_exception(self.error)
            return future
        self._replies.append((reply, future))
        self._wire.flush()
        return future

    def _write_binding(self, queue: str, exchange: str, binding_key: str) -> None:
        write_u16(self._wire.out, 0)
        write_shortstr(self._wire.out, octets(queue))
        write_shortstr(self._wire.out, octets(exchange))
        write_shortstr(self._wire.out, octets(binding_key))


def _bits(first: bool, second: bool = False, third: bool = False, fourth: bool = False) -> i64:
    """Pack bits into an octet as AMQP does, the first one lowest."""
    return (1 if first else 0) | (2 if second else 0) | (4 if third else 0) | (8 if fourth else 0)


def _write_close(writer: BytesWriter, reply_code: int, reply_text: bytes) -> None:
    write_u16(writer, reply_code)
    write_shortstr(writer, reply_text)
    write_u16(writer, 0)
    write_u16(writer, 0)
