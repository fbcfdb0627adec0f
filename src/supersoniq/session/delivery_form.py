"""What deliveries to one consumer have in common while the messages are alike.

Basic.Deliver, content header and body, as they stand on the wire:

    octets   lead                    8              1             rest                           …      1
           +-----------------------+--------------+-------------+------------------------------+------+------+
           | head of method frame, | delivery tag | redelivered | address, 0xCE, header frame, | body | 0xCE |
           | number, consumer tag  |              |             | head of body frame           |      |      |
           +-----------------------+--------------+-------------+------------------------------+------+------+

Lead and rest depend on the consumer and on the message's address and header, which tells how large the body
is: for messages that share both objects they are made once (docs/adr/0015-repeated-octets.md).
"""

from typing import final

from librt.strings import BytesWriter, write_i32_be
from mypy_extensions import i32, i64, u8

from supersoniq.amqp.primitives import write_u16
from supersoniq.amqp.spec import BASIC_DELIVER, FRAME_BODY, FRAME_END, FRAME_HEADER, FRAME_METHOD
from supersoniq.broker.message import Message


@final
class DeliveryForm:
    """The octets of deliveries to one consumer; nothing is made until two messages in a row are alike."""

    def __init__(self, channel: i64, tag: bytes) -> None:
        self.channel: i64 = channel
        self.tag_octets = bytes([len(tag)]) + tag
        self.address = b""  # of the last message
        self.header = b""
        self.is_made = False  # what follows, for those two
        self.lead = b""
        self.rest = b""

    def follow(self, message: Message) -> None:
        """Take note of a message that is not like the one before."""
        self.address = message.address
        self.header = message.header
        self.is_made = False

    def make(self, message: Message) -> None:
        """Make `lead` and `rest` for messages like this one, whose body goes out in one frame."""
        writer = BytesWriter()
        self.write_lead(writer, message)
        self.lead = writer.getvalue()
        writer.truncate(0)
        writer.write(message.address)
        writer.append(u8(FRAME_END))
        write_header_frame(writer, self.channel, message.header)
        write_body_head(writer, self.channel, i64(len(message.body)))
        self.rest = writer.getvalue()
        self.is_made = True

    def write_lead(self, writer: BytesWriter, message: Message) -> None:
        """Write what comes before the delivery tag."""
        writer.append(u8(FRAME_METHOD))
        write_u16(writer, self.channel)
        write_i32_be(writer, i32(13 + i64(len(self.tag_octets)) + i64(len(message.address))))
        write_i32_be(writer, i32(BASIC_DELIVER))
        writer.write(self.tag_octets)


def write_header_frame(writer: BytesWriter, channel: i64, header: bytes) -> None:
    """Write the frame of a content header."""
    writer.append(u8(FRAME_HEADER))
    write_u16(writer, channel)
    write_i32_be(writer, i32(i64(len(header))))
    writer.write(header)
    writer.append(u8(FRAME_END))


def write_body_head(writer: BytesWriter, channel: i64, size: i64) -> None:
    """Write what a body frame of so many octets begins with."""
    writer.append(u8(FRAME_BODY))
    write_u16(writer, channel)
    write_i32_be(writer, i32(size))
