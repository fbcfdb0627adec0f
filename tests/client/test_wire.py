"""The way out of a connection."""

from tests.client.pipe import Pipe

from supersoniq.client.wire import Wire


def test_ready_bytes_leave_after_what_was_appended() -> None:
    pipe, wire = Pipe(), Wire()
    wire.attach(pipe)
    wire.out.write(b"first")
    wire.write(b"second")
    wire.flush()
    assert pipe.writes == [b"first", b"second"]


def test_appended_bytes_leave_once() -> None:
    pipe, wire = Pipe(), Wire()
    wire.attach(pipe)
    wire.out.write(b"once")
    wire.flush()
    wire.flush()
    assert pipe.writes == [b"once"]


def test_nothing_is_written_and_nothing_kept_after_detach() -> None:
    pipe, wire = Pipe(), Wire()
    wire.attach(pipe)
    wire.detach()
    wire.out.write(b"late")
    wire.flush()
    wire.write(b"late")
    assert not pipe.writes
    assert len(wire.out) == 0
    assert not wire.is_writable


def test_limit_reaches_the_transport() -> None:
    pipe, wire = Pipe(), Wire()
    wire.hold_at(1)
    wire.attach(pipe)
    wire.hold_at(0)
    assert pipe.held_at == 0
