"""One message as the frames of a publish."""

from librt.strings import BytesWriter
from mypy_extensions import i64

from supersoniq.amqp.methods import begin_method, end_method
from supersoniq.amqp.primitives import write_shortstr, write_u8, write_u16, write_u32
from supersoniq.amqp.spec import BASIC_PUBLISH, FRAME_BODY, FRAME_END, FRAME_HEADER, FRAME_OVERHEAD_BYTES

MANDATORY = 1


def publish_frames(
    channel: int,
    exchange: bytes,
    routing_key: bytes,
    header: bytes,
    body: bytes,
    frame_max_bytes: int,
    flags: int = 0,
) -> bytes:
    """Return method, header and body frames of a Basic.Publish.

    `header` is the payload of a content header (`Properties.content_header`); `flags` may be MANDATORY.
    """
    writer = BytesWriter()
    at = begin_method(writer, channel, BASIC_PUBLISH)
    write_u16(writer, 0)
    write_shortstr(writer, exchange)
    write_shortstr(writer, routing_key)
    write_u8(writer, flags)
    end_method(writer, at)
    _write_frame(writer, FRAME_HEADER, channel, header)
    piece_bytes: i64 = frame_max_bytes - FRAME_OVERHEAD_BYTES
    begin: i64 = 0
    while begin < i64(len(body)):
        _write_frame(writer, FRAME_BODY, channel, body[begin : begin + piece_bytes])
        begin += piece_bytes
    return writer.getvalue()


def _write_frame(writer: BytesWriter, kind: i64, channel: i64, payload: bytes) -> None:
    write_u8(writer, kind)
    write_u16(writer, channel)
    write_u32(writer, i64(len(payload)))
    writer.write(payload)
    write_u8(writer, FRAME_END)
