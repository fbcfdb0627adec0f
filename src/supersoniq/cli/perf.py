"""`supersoniq perf`: load for any AMQP 0-9-1 broker, measured."""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer

from supersoniq.cli.app import fail

if TYPE_CHECKING:
    from supersoniq.perf.options import LoadOptions
    from supersoniq.perf.report import ChurnReport, LoadReport, Progress

app = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="Load any AMQP 0-9-1 broker, and measure it."
)

DEFAULT_URL = "amqp://guest:guest@127.0.0.1:5672/"

Url = Annotated[str, typer.Option(help="The broker.")]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
BrokerPid = Annotated[
    int, typer.Option(help="Report the CPU time and memory of this process, and of its children.")
]
Producers = Annotated[int, typer.Option(help="Connections that publish.")]
Consumers = Annotated[int, typer.Option(help="Connections that consume.")]
Queues = Annotated[int, typer.Option(help="Queues, each with producers and consumers in turn.")]
Fanout = Annotated[int, typer.Option(help="Publish to a fanout exchange with this many queues.")]
Priorities = Annotated[
    int,
    typer.Option(help="Declare queues with this x-max-priority, and publish with those below it in turn."),
]
Size = Annotated[int, typer.Option(help="Octets in a body.")]
Rate = Annotated[float, typer.Option(help="Messages per second and producer; 0 is as fast as it goes.")]
AckEvery = Annotated[int, typer.Option(help="Ack every so many messages in one; 0 is auto-ack.")]
Prefetch = Annotated[int, typer.Option(help="Unacked messages per consumer; 0 is no limit.")]
ConfirmWindow = Annotated[int, typer.Option(help="Unconfirmed messages per producer; 0 is no confirms.")]
Persistent = Annotated[bool, typer.Option("--persistent", help="Publish with delivery mode 2.")]
Durable = Annotated[bool, typer.Option("--durable", help="Declare durable queues.")]
Queue = Annotated[
    list[str], typer.Option(help="Use this queue that exists already; may be given several times.")
]
Count = Annotated[
    int, typer.Option(help="Publish so many messages in all; 0 is as many as fit the duration.")
]
Duration = Annotated[
    float, typer.Option(help="Seconds to measure; with a count, to give up after. 0 is 10 or 300.")
]
Warmup = Annotated[
    float, typer.Option(help="Seconds before the measured window; with a count, a tenth of it before.")
]
Flush = Annotated[bool, typer.Option("--flush", help="Write each message by itself instead of in batches.")]
BatchSize = Annotated[int, typer.Option("--batch", help="Messages in one write; 0 is 64 KiB of them.")]
Backlog = Annotated[
    int, typer.Option(help="Messages published and not yet delivered, at most; 0 is 10,000 or 16 MiB.")
]
Preload = Annotated[
    int, typer.Option(help="Consume so many messages that are published before; needs --producers 0.")
]
UntilConfirm = Annotated[
    bool,
    typer.Option("--until-confirm", help="Measure until the confirm comes, not the delivery."),
]
BusyPoll = Annotated[
    bool, typer.Option("--busy-poll", help="Never sleep: leaves out what waking this process up takes.")
]


@app.command()
def throughput(
    url: Url = DEFAULT_URL,
    producers: Producers = 1,
    consumers: Consumers = 1,
    queues: Queues = 1,
    fanout: Fanout = 0,
    priorities: Priorities = 0,
    size: Size = 16,
    rate: Rate = 0.0,
    ack_every: AckEvery = 0,
    prefetch: Prefetch = 0,
    confirm_window: ConfirmWindow = 0,
    persistent: Persistent = False,
    durable: Durable = False,
    queue: Queue = [],  # noqa: B006  (typer reads it, nobody writes it)
    count: Count = 0,
    duration: Duration = 0.0,
    warmup: Warmup = 1.0,
    flush: Flush = False,
    batch: BatchSize = 0,
    backlog: Backlog = 0,
    preload: Preload = 0,
    broker_pid: BrokerPid = 0,
    as_json: Json = False,
) -> None:
    """Publish and consume as fast as it goes, or at a fixed rate."""
    options = load_options(
        url=url,
        producers=producers,
        consumers=consumers,
        queues=queues,
        fanout=fanout,
        priorities=priorities,
        size=size,
        rate=rate,
        ack_every=ack_every,
        prefetch=prefetch,
        confirm_window=confirm_window,
        persistent=persistent,
        durable=durable,
        existing=tuple(queue),
        count=count,
        duration=duration,
        warmup=warmup,
        flush=flush,
        batch=batch,
        backlog=backlog,
        preload=preload,
        broker_pid=broker_pid,
    )
    run_and_print("throughput", options, as_json)


@app.command()
def latency(
    url: Url = DEFAULT_URL,
    producers: Producers = 1,
    consumers: Consumers = 1,
    queues: Queues = 1,
    fanout: Fanout = 0,
    priorities: Priorities = 0,
    size: Size = 16,
    rate: Rate = 0.0,
    ack_every: AckEvery = 0,
    prefetch: Prefetch = 0,
    confirm_window: ConfirmWindow = 0,
    persistent: Persistent = False,
    durable: Durable = False,
    queue: Queue = [],  # noqa: B006  (typer reads it, nobody writes it)
    count: Count = 0,
    duration: Duration = 0.0,
    warmup: Warmup = 1.0,
    until_confirm: UntilConfirm = False,
    busy_poll: BusyPoll = False,
    broker_pid: BrokerPid = 0,
    as_json: Json = False,
) -> None:
    """Measure from publish to delivery or confirm: one message at a time (ping-pong), or at a fixed rate."""
    options = load_options(
        url=url,
        producers=producers,
        consumers=consumers,
        queues=queues,
        fanout=fanout,
        priorities=priorities,
        size=size,
        rate=rate,
        ack_every=ack_every,
        prefetch=prefetch,
        confirm_window=confirm_window,
        persistent=persistent,
        durable=durable,
        existing=tuple(queue),
        count=count,
        duration=duration,
        warmup=warmup,
        backlog=0 if rate else 1,
        busy_poll=busy_poll,
        stamped=True,
        until_confirm=until_confirm,
        broker_pid=broker_pid,
    )
    run_and_print("latency", options, as_json)


@app.command()
def churn(
    url: Url = DEFAULT_URL,
    operation: Annotated[
        list[str], typer.Option(help="connection, channel, queue, bind or unbind; all if none is given.")
    ] = [],  # noqa: B006  (typer reads it, nobody writes it)
    duration: Annotated[float, typer.Option(help="Seconds for each operation.")] = 3.0,
    concurrency: Annotated[int, typer.Option(help="Workers that do the operation at the same time.")] = 1,
    busy_poll: BusyPoll = False,
    broker_pid: BrokerPid = 0,
    as_json: Json = False,
) -> None:
    """Open and close connections and channels, declare and delete queues, bind and unbind."""
    from supersoniq.perf.churn import OPERATIONS, ChurnOptions, run_churn

    try:
        options = ChurnOptions(
            url, tuple(operation or OPERATIONS), duration, concurrency, broker_pid, busy_poll
        )
    except ValueError as error:
        fail(str(error), 2)
    print_reports(run(lambda progress: run_churn(options, progress)), as_json)


def load_options(**values: Any) -> "LoadOptions":
    """Check the options; one line and exit code 2 for what cannot be run."""
    from supersoniq.perf.options import LoadOptions

    try:
        return LoadOptions(**values)
    except ValueError as error:
        fail(str(error), 2)


def run_and_print(mode: str, options: "LoadOptions", as_json: bool) -> None:
    """Run a load and print its report."""
    from supersoniq.perf.load import run_load

    print_reports([run(lambda progress: run_load(options, mode, progress))], as_json)


def run(start: "Callable[[Progress], Coroutine[Any, Any, Any]]") -> Any:
    """Run to the end; one line and exit code 1 for what the broker refuses."""
    from supersoniq.client.errors import ClientError

    try:
        with terminal_progress() as progress:
            return loop_runner()(start(progress))
    except (ClientError, ValueError) as error:
        fail(str(error), 1)
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def loop_runner() -> "Callable[[Coroutine[Any, Any, Any]], Any]":
    """uvloop's way to run a coroutine, or asyncio's where there is no uvloop."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    return uvloop.run


def terminal_progress() -> "AbstractContextManager[Progress]":
    """A live line on stderr if that is a terminal."""
    if not sys.stderr.isatty():
        from supersoniq.perf.report import Silence

        return nullcontext(Silence())
    return LiveLine()


class LiveLine:
    """One line at the bottom of the terminal."""

    def __init__(self) -> None:
        from rich.console import Console

        self._status = Console(stderr=True).status("connecting")

    def __enter__(self) -> "LiveLine":
        self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def show(self, text: str) -> None:
        """Show `text` in place of what was shown."""
        self._status.update(text)


def print_reports(reports: "list[LoadReport | ChurnReport]", as_json: bool) -> None:
    """Print to stdout; JSON is one object for one report, else a list."""
    if as_json:
        values = [report.as_json() for report in reports]
        print(json.dumps(values[0] if len(values) == 1 else values, indent=2))
        return
    print("\n\n".join(["\n".join(report.lines()) for report in reports]))
