"""Publishing for one request, by a channel of its own: all the rules of AMQP hold."""

import asyncio
from typing import Final, final

from mypy_extensions import i64

from supersoniq.amqp.frames import FrameHandler, FrameReader
from supersoniq.amqp.primitives import read_u32
from supersoniq.amqp.properties import Properties
from supersoniq.amqp.spec import (
    BASIC_ACK,
    BASIC_NACK,
    BASIC_PUBLISH,
    BASIC_RETURN,
    CONFIRM_SELECT,
)
from supersoniq.broker.message import address_of
from supersoniq.broker.vhost import VHost
from supersoniq.management.access import Caller
from supersoniq.management.context import ManagementContext
from supersoniq.session.access import Access
from supersoniq.session.channel import Channel
from supersoniq.session.client import Client
from supersoniq.session.output import Output, Transport

MANDATORY: Final = 1
CHANNEL: Final = 1


@final
class Confirmation(FrameHandler):
    """What the broker has to say of one publish, in frames; `said` is done when it is confirmed or nacked."""

    def __init__(self) -> None:
        self.said: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.is_returned = False

    def method_frame(self, channel: i64, data: bytes, start: i64, end: i64) -> None:
        """Take a return or a confirm."""
        method = read_u32(data, start)
        if method == BASIC_RETURN:
            self.is_returned = True
        elif method in (BASIC_ACK, BASIC_NACK) and not self.said.done():
            self.said.set_result(method == BASIC_ACK)

    def header_frame(self, channel: i64, data: bytes, start: i64, end: i64) -> None:
        """Take what was returned."""

    def body_frame(self, channel: i64, data: bytes, start: i64, end: i64) -> bool:
        """Take what was returned."""
        return False

    def heartbeat_frame(self, channel: i64) -> None:
        """Take none: nobody sends any."""


# A class of its own: compiled classes cannot both be bases of an interpreted one.
@final
class _Wire(Transport):
    """Gives what the broker sends to a confirmation."""

    def __init__(self, confirmation: Confirmation) -> None:
        self._reader = FrameReader(confirmation, 1 << 31)

    def write(self, data: bytes) -> None:
        """Read what is sent."""
        self._reader.feed(data)

    def write_pieces(self, pieces: list[bytes]) -> None:
        """Read what is sent."""
        for piece in pieces:
            self._reader.feed(piece)

    def close(self) -> None:
        """Take note of the end."""

    def abort(self) -> None:
        """Take note of the end."""

    def pause_reading(self) -> None:
        """Do nothing: there is nothing more to come."""

    def resume_reading(self) -> None:
        """Do nothing."""

    def unsent_bytes(self) -> int:
        """Return none."""
        return 0


class Publisher:
    """Publishes in one virtual host as one caller; to be closed."""

    def __init__(self, management: ManagementContext, caller: Caller, vhost: VHost) -> None:
        context = management.context
        self._server = management.server
        self._confirmation = Confirmation()
        wire = _Wire(self._confirmation)
        output = Output(wire, context.turn)
        client = Client(context.next_id(), context, output, wire, caller.address)
        client.user = caller.user
        client.vhost = vhost
        client.access = Access(context, caller.user, vhost)
        client.access.is_unlimited = caller.is_operator
        self._channel = Channel(CHANNEL, client, vhost)

    async def publish(self, exchange: bytes, routing_key: bytes, properties: Properties, body: bytes) -> bool:
        """Publish a message; returns whether any queue has it, once that is safe.

        Raises what AMQP closes a channel for.
        """
        confirmation = self._confirmation
        channel = self._channel
        channel.method(CONFIRM_SELECT, *_payload(CONFIRM_SELECT, b"\x01"))
        arguments = b"\x00\x00" + address_of(exchange, routing_key) + bytes([MANDATORY])
        channel.method(BASIC_PUBLISH, *_payload(BASIC_PUBLISH, arguments))
        header = properties.content_header(len(body))
        channel.header(header, 0, len(header))
        if body:
            channel.body(body, 0, len(body))
        self._server.end_turn()
        is_taken = await confirmation.said
        return is_taken and not confirmation.is_returned

    def close(self) -> None:
        """Forget the channel."""
        self._channel.close()
        self._server.end_turn()


def _payload(method: int, arguments: bytes) -> tuple[bytes, int, int]:
    payload = method.to_bytes(4, "big") + arguments
    return payload, 0, len(payload)
