"""Batches, read back by the frame reader."""

from hypothesis import given
from hypothesis import strategies as st
from tests.client.pipe import frames_in

from supersoniq.amqp.properties import read_properties
from supersoniq.amqp.spec import BASIC_PUBLISH
from supersoniq.perf.batches import (
    BATCH_BYTES,
    BATCH_MESSAGES_MAX,
    MessageShape,
    batch_messages,
    encode_batch,
)

KEYS = st.lists(st.text("abc", max_size=5), min_size=1, max_size=4)


@given(KEYS, st.integers(0, 9000), st.integers(1, 12), st.booleans())
def test_batch_is_as_many_publishes_with_the_keys_in_turn(
    keys: list[str], size: int, messages: int, persistent: bool
) -> None:
    shape = MessageShape("x", size, persistent, channel=3, frame_max_bytes=4096)
    frames = frames_in(encode_batch(shape, keys, messages).data, 4096)
    publishes = [payload for kind, _, payload in frames if kind == BASIC_PUBLISH]
    headers = [payload for kind, _, payload in frames if kind == "header"]
    bodies = b"".join([payload for kind, _, payload in frames if kind == "body"])
    expected = [keys[number % len(keys)].encode() for number in range(messages)]
    assert publishes == [b"\x00\x00\x01x" + bytes([len(key)]) + key + b"\x00" for key in expected]
    assert [read_properties(header).delivery_mode for header in headers] == [
        2 if persistent else None
    ] * messages
    assert bodies == bytes(size * messages)
    assert {channel for _, channel, _ in frames} == {3}


@given(KEYS, st.integers(1, 10))
def test_each_key_has_each_priority(keys: list[str], priorities: int) -> None:
    shape = MessageShape("", 1, priorities=priorities)
    frames = frames_in(encode_batch(shape, keys, batch_messages(shape, keys)).data)
    headers = [payload for kind, _, payload in frames if kind == "header"]
    found = [read_properties(header).priority for header in headers]
    expected = [priority for priority in range(priorities) for _ in keys]
    assert found[: len(expected)] == expected
    assert shape.kinds(keys) == len(expected) <= len(found)


@given(KEYS, st.integers(8, 100), st.integers(1, 8))
def test_ends_and_stamps_point_to_messages_and_bodies(keys: list[str], size: int, messages: int) -> None:
    batch = encode_batch(MessageShape("", size), keys, messages)
    begin = 0
    for end, stamp in zip(batch.ends, batch.stamps, strict=True):
        stamped = batch.data[begin:stamp] + b"12345678" + batch.data[stamp + 8 : end]
        publish, _, body = frames_in(stamped)
        assert publish[0] == BASIC_PUBLISH
        assert body[2] == b"12345678" + bytes(size - 8)
        begin = end
    assert batch.ends[-1] == len(batch.data)


@given(st.integers(0, 200_000), st.integers(1, 20))
def test_batch_is_never_empty_nor_much_larger_than_meant(size: int, queues: int) -> None:
    shape = MessageShape("", size)
    keys = [f"queue-{number:02}" for number in range(queues)]
    messages = batch_messages(shape, keys)
    assert queues <= messages <= BATCH_MESSAGES_MAX
    assert messages == queues or messages * len(shape.encode(keys[0])) <= BATCH_BYTES
