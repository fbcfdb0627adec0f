"""Clients that mean harm, as a process of their own: `attack.py PORT KIND COUNT`.

`half-open` connects and says no more than the first octets, `slow` says all but one octet at a time, `guess`
tries passwords without end. "ready" is printed when all are at it, "closed" when the broker has closed them.
"""

import asyncio
import contextlib
import struct
import sys
from itertools import count

HEADER = b"AMQP\x00\x00\x09\x01"
CONNECTING_MAX = 100
READ_BYTES = 65536


def start_ok(user: bytes, password: bytes) -> bytes:
    """A frame with Connection.Start-Ok; the client can take the refusal."""
    name = b"authentication_failure_close"
    capabilities = bytes([len(name)]) + name + b"t\x01"
    properties = b"\x0ccapabilitiesF" + struct.pack(">I", len(capabilities)) + capabilities
    response = b"\x00" + user + b"\x00" + password
    payload = b"\x00\x0a\x00\x0b" + struct.pack(">I", len(properties)) + properties
    payload += b"\x05PLAIN" + struct.pack(">I", len(response)) + response + b"\x05en_US"
    return b"\x01\x00\x00" + struct.pack(">I", len(payload)) + payload + b"\xce"


class Attack:
    """All attackers of one kind."""

    def __init__(self, port: int, kind: str, total: int) -> None:
        self._port = port
        self._kind = kind
        self._total = total
        self._ready = 0
        self._connecting = asyncio.Semaphore(CONNECTING_MAX)
        self._passwords = count()

    async def run(self) -> None:
        one = {"half-open": self._half_open, "slow": self._slow, "guess": self._guess}[self._kind]
        async with asyncio.TaskGroup() as tasks:
            for number in range(self._total):
                tasks.create_task(one(number))
        print("closed", flush=True)

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with self._connecting:
            return await asyncio.open_connection("127.0.0.1", self._port)

    def _at_it(self) -> None:
        self._ready += 1
        if self._ready == self._total:
            print("ready", flush=True)

    async def _half_open(self, number: int) -> None:
        reader, writer = await self._connected()
        writer.write(HEADER[: number % 9])
        self._at_it()
        with contextlib.suppress(ConnectionError):
            while await reader.read(READ_BYTES):
                pass
        writer.close()

    async def _slow(self, number: int) -> None:
        reader, writer = await self._connected()
        self._at_it()
        with contextlib.suppress(ConnectionError):
            for octet in HEADER + start_ok(b"guest", b"guest"):
                if writer.is_closing():
                    break
                writer.write(bytes([octet]))
                await asyncio.sleep(0.05)
            while await reader.read(READ_BYTES):
                pass
        writer.close()

    async def _guess(self, number: int) -> None:
        """Try one password after the other, as fast as the broker lets us."""
        self._at_it()
        while True:
            with contextlib.suppress(ConnectionError):
                reader, writer = await self._connected()
                writer.write(HEADER + start_ok(b"guest", b"%d" % next(self._passwords)))
                while not (await reader.read(READ_BYTES)).count(b"ACCESS_REFUSED"):
                    if reader.at_eof():
                        break
                writer.close()


if __name__ == "__main__":
    asyncio.run(Attack(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])).run())
