"""`supersoniq ping`: is a broker there, and how long does it take to answer?"""

import time
from statistics import median
from typing import TYPE_CHECKING, Annotated

import typer

from supersoniq.cli.app import fail

if TYPE_CHECKING:
    from supersoniq.client.address import Address

app = typer.Typer(rich_markup_mode=None)


@app.command()
def ping(
    url: Annotated[str, typer.Argument(help="The broker.")] = "amqp://guest:guest@127.0.0.1:5672/",
    count: Annotated[int, typer.Option(min=1, max=1_000_000, help="Round trips.")] = 10,
    timeout: Annotated[
        float, typer.Option(min=0.001, max=3600, help="Seconds for the handshake, and for all round trips.")
    ] = 5.0,
) -> None:
    """Complete the AMQP handshake and time some round trips; exit code 1 if the broker does not answer."""
    import asyncio

    from supersoniq.client.address import parse_url
    from supersoniq.client.errors import ClientError

    try:
        address = parse_url(url)
    except ValueError as error:
        fail(str(error), 2)
    try:
        milliseconds = asyncio.run(round_trips(address, count, timeout))
    except ClientError as error:
        fail(str(error), 1)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    print(
        f"{address}: {count} round trips, min {min(milliseconds):.3f} ms, "
        f"median {median(milliseconds):.3f} ms, max {max(milliseconds):.3f} ms"
    )


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
