"""`supersoniq ping`: is a broker there, and how long does it take to answer?"""

import os
import time
from statistics import median
from typing import TYPE_CHECKING, Annotated

import typer

from supersoniq.cli.app import fail

if TYPE_CHECKING:
    from supersoniq.client.address import Address
    from supersoniq.config import Settings

app = typer.Typer(rich_markup_mode=None)


@app.command()
def ping(
    url: Annotated[
        str | None,
        typer.Argument(help="The broker; not given: that of this machine's configuration, without a login."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=1_000_000, help="Round trips.")] = 10,
    timeout: Annotated[
        float, typer.Option(min=0.001, max=3600, help="Seconds for the handshake, and for all round trips.")
    ] = 5.0,
) -> None:
    """Complete the AMQP handshake and time some round trips; exit code 1 if the broker does not answer.

    Without a URL nobody logs in, and the port is that of supersoniq.toml or SUPERSONIQ_PORT: for probes,
    which need no password then.
    """
    import asyncio

    from supersoniq.client.address import parse_url
    from supersoniq.client.errors import ClientError
    from supersoniq.config import ConfigError, load

    try:
        if url is not None:
            address = parse_url(url)
            trips = round_trips(address, count, timeout)
        else:
            settings = load({}).settings
            address = local_address(settings)
            trips = bare_round_trips(address, count, timeout, is_tls=settings.amqp == "off")
    except (ConfigError, ValueError) as error:
        fail(str(error), 2)
    try:
        milliseconds = asyncio.run(trips)
    except ClientError as error:
        fail(str(error), 1)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    print(
        f"{address}: {count} round trips, min {min(milliseconds):.3f} ms, "
        f"median {median(milliseconds):.3f} ms, max {max(milliseconds):.3f} ms"
    )


def local_address(settings: "Settings") -> "Address":
    """Where a node with these settings is reached from its own machine: with TLS if there is nothing else."""
    from supersoniq.client.address import Address

    loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    if settings.amqp == "off":
        host, port = (settings.tls_host or settings.host)[0], settings.tls_port
    else:
        host, port = settings.host[0], settings.port
    return Address(host=loopback.get(host, host), port=port)


async def bare_round_trips(
    address: "Address", count: int, timeout_seconds: float, is_tls: bool = False
) -> list[float]:
    """Time `count` connections on which PING is answered by PONG, in ms; raises ClientError.

    With TLS no certificate is looked at: nothing secret is said, and its name is hardly that of loopback.
    """
    import asyncio
    import ssl

    from supersoniq.client.errors import Unreachable

    context = None
    if is_tls:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    milliseconds = []
    try:
        async with asyncio.timeout(timeout_seconds):
            for _ in range(count):
                began = time.perf_counter()
                reader, writer = await asyncio.open_connection(address.host, address.port, ssl=context)
                try:
                    writer.write(b"PING\r\n")
                    answer = await reader.readline()
                finally:
                    writer.transport.abort()
                if answer != b"PONG\r\n":
                    raise Unreachable(f"{address} does not answer PING with PONG but with {answer[:40]!r}")
                milliseconds.append((time.perf_counter() - began) * 1000)
    except TimeoutError:
        raise Unreachable(f"{address} does not answer within {timeout_seconds:g} s") from None
    except OSError as error:
        # asyncio puts addresses where the system's text belongs.
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror or error)
        raise Unreachable(f"cannot connect to {address}: {reason}") from None
    return milliseconds


async def round_trips(address: "Address", count: int, timeout_seconds: float) -> list[float]:
    """Time `count` round trips of a method that changes nothing, in ms; raises ClientError."""
    import asyncio

    from supersoniq.client.connection import connect
    from supersoniq.client.errors import Unreachable

    connection = await connect(address, timeout_seconds=timeout_seconds)
    try:
        async with asyncio.timeout(timeout_seconds):
            channel = await connection.channel()
            milliseconds = []
            for _ in range(count):
                began = time.perf_counter()
                await channel.qos(0)
                milliseconds.append((time.perf_counter() - began) * 1000)
            await connection.close()
    except TimeoutError:
        raise Unreachable(
            f"{address} stopped answering: {count} round trips took more than {timeout_seconds:g} s"
        ) from None
    finally:
        connection.abort()
    return milliseconds
