"""Listening sockets, the clock, and an orderly end, on a real event loop with real sockets."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence

import pytest
from tests.conformance.codec import PROTOCOL_HEADER, Basic, Channel, Connection, decode_method
from tests.session.script import Node, frames_in, method_frame, octets_of

from supersoniq.broker.events import NoEvents
from supersoniq.server.alarms import DISK, MEMORY, Alarms, Watch
from supersoniq.server.server import Server
from supersoniq.server.store_watch import Storage, TroubleWatch
from supersoniq.session.connection import CLOSING
from supersoniq.session.context import Limits

PATIENCE = 10


class FakeWatch(Watch):
    """Is on when it is told to be."""

    is_on = False

    def check(self) -> bool:
        return self.is_on


class FakeStorage(Storage):
    """Has trouble until it was ticked, and is ticked until it is told to stop."""

    ticks = 0
    is_in_trouble = True

    def trouble(self) -> str:
        return "no space left on device" if self.is_in_trouble else ""

    def backlog_bytes(self) -> int:
        return 0

    def tick(self) -> None:
        self.ticks += 1
        self.is_in_trouble = False


class Peer:
    """A client of real streams that reads until it has the method it waits for."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._data = b""
        self.names: list[str] = []

    @classmethod
    async def opened(cls, address: tuple[str, int]) -> "Peer":
        peer = cls(*await asyncio.open_connection(*address))
        peer.send(PROTOCOL_HEADER)
        for method in (
            Connection.start_ok(
                client_properties={"capabilities": {"connection.blocked": True}},
                mechanism="PLAIN",
                response=b"\0guest\0guest",
            ),
            Connection.tune_ok(channel_max=10, frame_max=131072),
            Connection.open(virtual_host="/"),
        ):
            peer.send(method_frame(0, method))
        await peer.until("connection.open_ok")
        return peer

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def until(self, name: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while name not in self.names:
                data = await self._reader.read(65536)
                assert data, f"closed before {name}, after {self.names}"
                frames, self._data = frames_in(self._data + data)
                self.names += [decode_method(each.payload).name for each in frames if each.kind == 1]

    async def end(self) -> None:
        """Wait until the server has closed its side, and close this one."""
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionError):
                await self._reader.read()
        await self.close()

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


@contextlib.asynccontextmanager
async def serving(
    hosts: list[str],
    node: Node | None = None,
    watches: Sequence[Watch] = (),
    storage: Storage | None = None,
) -> AsyncIterator[Server]:
    node = node or Node()
    server = Server(node.context, Alarms(node.context.alarm, watches, NoEvents(), ""), storage)
    await server.listen(hosts, 0)
    try:
        yield server
    finally:
        await server.stop(0)


async def gone(server: Server) -> None:
    async with asyncio.timeout(PATIENCE):
        while server.transports:
            await asyncio.sleep(0.01)


def test_port_zero_takes_a_free_port_the_same_for_all_hosts() -> None:
    async def scenario() -> None:
        async with serving(["127.0.0.1", "127.0.0.2"]) as server:
            assert [host for host, _ in server.addresses] == ["127.0.0.1", "127.0.0.2"]
            assert len({port for _, port in server.addresses}) == 1
            for address in server.addresses:
                await (await Peer.opened(address)).close()

    asyncio.run(scenario())


def test_port_in_use_leaves_nothing_open() -> None:
    async def scenario() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.2", 0))
            taken.listen()
            port = taken.getsockname()[1]
            node = Node()
            server = Server(node.context, Alarms(node.context.alarm, [], NoEvents(), ""), None)
            with pytest.raises(OSError, match="in use"):
                await server.listen(["127.0.0.1", "127.0.0.2"], port)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)

    asyncio.run(scenario())


def test_chosen_clients_are_closed_with_320() -> None:
    async def scenario() -> None:
        async with serving(["127.0.0.1"]) as server:
            peers = [await Peer.opened(server.addresses[0]) for _ in range(3)]
            chosen = [transport.connection for transport in server.transports][:2]
            clients = [connection.client for connection in chosen if connection is not None]
            assert server.close_connections(lambda client: client in clients, "because") == 2
            assert server.close_connections(lambda client: client.user == "nobody", "because") == 0
            closed = 0
            for transport in server.transports:
                assert transport.connection is not None
                closed += transport.connection.state == CLOSING
            assert closed == 2
            for peer in peers:
                await peer.close()

    asyncio.run(scenario())


def test_clients_are_closed_with_320_when_the_server_stops() -> None:
    async def scenario() -> None:
        node = Node()
        async with serving(["127.0.0.1"], node) as server:
            peer = await Peer.opened(server.addresses[0])
            stopping = asyncio.get_running_loop().create_task(server.stop(PATIENCE))
            await peer.until("connection.close")
            peer.send(method_frame(0, Connection.close_ok()))
            await peer.end()
            await asyncio.wait_for(stopping, PATIENCE)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(*server.addresses[0])

    asyncio.run(scenario())


def test_client_that_does_not_answer_is_dropped_after_the_grace(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with serving(["127.0.0.1"]) as server:
            peer = await Peer.opened(server.addresses[0])
            await asyncio.wait_for(server.stop(0.05), PATIENCE)
            assert not server.transports
            await peer.end()
            assert "1 clients did not close in time" in caplog.text

    asyncio.run(scenario())


def test_server_without_clients_stops_at_once() -> None:
    async def scenario() -> None:
        async with serving(["127.0.0.1"]) as server:
            await asyncio.wait_for(server.stop(60), 1)

    asyncio.run(scenario())


def test_client_that_vanishes_is_forgotten() -> None:
    async def scenario() -> None:
        async with serving(["127.0.0.1"]) as server:
            peer = await Peer.opened(server.addresses[0])
            assert len(server.transports) == 1
            await peer.close()
            await gone(server)

    asyncio.run(scenario())


def test_clock_ticks_for_connections() -> None:
    async def scenario() -> None:
        async with serving(["127.0.0.1"], Node(Limits(handshake_ticks=1))) as server:
            reader, writer = await asyncio.open_connection(*server.addresses[0])
            async with asyncio.timeout(PATIENCE):
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
            writer.close()

    asyncio.run(scenario())


def test_publishers_are_blocked_while_something_is_short_and_let_on_after_that() -> None:
    async def scenario() -> None:
        node, watch = Node(), FakeWatch(MEMORY)
        node.queue()
        async with serving(["127.0.0.1"], node, [watch]) as server:
            peer = await Peer.opened(server.addresses[0])
            watch.is_on = True
            async with asyncio.timeout(PATIENCE):
                while not node.context.alarm.is_on:
                    await asyncio.sleep(0.01)
            peer.send(
                method_frame(1, Channel.open()) + octets_of(1, Basic.publish(routing_key="q", body=b"x"))
            )
            await peer.until("connection.blocked")
            watch.is_on = False
            await peer.until("connection.unblocked")
            peer.send(method_frame(1, Basic.get(queue="q", no_ack=True)))
            await peer.until("basic.get_ok")
            await peer.close()

    asyncio.run(scenario())


def test_alarms_can_be_checked_between_ticks_and_more_causes_are_not_told() -> None:
    async def scenario() -> None:
        node, memory, disk = Node(), FakeWatch(MEMORY), FakeWatch(DISK)
        node.queue()
        async with serving(["127.0.0.1"], node, [memory, disk]) as server:
            peer = await Peer.opened(server.addresses[0])
            memory.is_on = True
            server.check_alarms()
            peer.send(
                method_frame(1, Channel.open()) + octets_of(1, Basic.publish(routing_key="q", body=b"x"))
            )
            await peer.until("connection.blocked")
            for memory.is_on, disk.is_on in ((True, True), (False, True), (False, False)):
                assert "connection.unblocked" not in peer.names
                server.check_alarms()
                node.end_turn()
            await peer.until("connection.unblocked")
            assert peer.names.count("connection.blocked") == 1
            await peer.close()

    asyncio.run(scenario())


def test_clock_ticks_for_the_store_before_its_alarms_are_checked() -> None:
    async def scenario() -> None:
        node, storage = Node(), FakeStorage()
        async with serving(["127.0.0.1"], node, [TroubleWatch(storage)], storage):
            assert storage.ticks == 1
            assert not node.context.alarm.is_on
            async with asyncio.timeout(PATIENCE):
                while storage.ticks < 2:
                    await asyncio.sleep(0.01)

    asyncio.run(scenario())


def test_turns_are_counted_whoever_ends_them() -> None:
    async def scenario() -> None:
        async with serving(["127.0.0.1"]) as server:
            before = server.turn_count
            server.end_turn()
            assert server.turn_count == before + 1
            peer = await Peer.opened(server.addresses[0])
            assert server.turn_count > before + 1
            await peer.close()

    asyncio.run(scenario())


def test_last_words_in_one_packet_are_answered() -> None:
    """Confirm, publish and close in one go: what is left of the turn finds the connection closed."""

    async def scenario() -> None:
        async with serving(["127.0.0.1"]) as server:
            peer = await Peer.opened(server.addresses[0])
            data = method_frame(1, Channel.open()) + b"\x01\x00\x01\x00\x00\x00\x05\x00\x55\x00\x0a\x00\xce"
            data += octets_of(1, Basic.publish(routing_key="q", body=b"x"))
            peer.send(data + method_frame(0, Connection.close(reply_code=200)))
            await peer.until("connection.close_ok")
            await peer.end()
            await gone(server)

    asyncio.run(scenario())
