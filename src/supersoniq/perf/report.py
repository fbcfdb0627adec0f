"""What a run found out, as JSON and as lines for people."""

from dataclasses import asdict, dataclass
from typing import Protocol

from supersoniq.perf.histogram import Histogram

PERCENTILES = (50.0, 90.0, 99.0, 99.9)


class Progress(Protocol):
    """Whatever shows how a run goes."""

    def show(self, text: str) -> None:
        """Show `text` in place of what was shown."""


class Silence:
    """Shows nothing."""

    def show(self, text: str) -> None:
        """Drop `text`."""


@dataclass(frozen=True)
class Latency:
    """Microseconds."""

    count: int
    min: float
    p50: float
    p90: float
    p99: float
    p999: float
    max: float


def latency_of(histogram: Histogram) -> Latency | None:
    """Percentiles of a histogram of nanoseconds; None if it is empty."""
    if not histogram.count:
        return None
    p50, p90, p99, p999 = [histogram.percentile(percent) / 1000 for percent in PERCENTILES]
    return Latency(histogram.count, histogram.minimum / 1000, p50, p90, p99, p999, histogram.maximum / 1000)


@dataclass(frozen=True)
class BrokerCost:
    """What the measured window cost the broker; `cpu_us` is per message delivered, or per operation."""

    cpu_seconds: float
    cpu_us: float
    rss_before_mb: float
    rss_after_mb: float


@dataclass(frozen=True)
class LoadReport:
    """One run of `throughput` or `latency`, the measured window only."""

    mode: str
    seconds: float
    complete: bool
    published: int
    delivered: int
    nacked: int
    publish_rate: float
    delivery_rate: float
    generator_cpu_us: float
    broker: BrokerCost | None
    latency: Latency | None

    def as_json(self) -> dict[str, object]:
        """The report as plain values."""
        return asdict(self)

    def lines(self) -> list[str]:
        """The report for people."""
        lines = [
            f"published  {self.published:>12,}   {self.publish_rate:>12,.0f} msg/s",
            f"delivered  {self.delivered:>12,}   {self.delivery_rate:>12,.0f} msg/s",
            f"window     {self.seconds:>12.2f} s"
            + ("" if self.complete else "   (given up: the count was not reached)"),
        ]
        if self.nacked:
            lines.append(f"nacked     {self.nacked:>12,}")
        if self.latency:
            lines.append("latency    " + latency_line(self.latency))
        if self.broker:
            lines.append("broker     " + cost_line(self.broker, "message"))
        lines.append(f"generator  {self.generator_cpu_us:>12.3f} us CPU per message")
        return lines


@dataclass(frozen=True)
class ChurnReport:
    """One kind of operation, done over and over."""

    operation: str
    seconds: float
    operations: int
    rate: float
    latency: Latency | None
    broker: BrokerCost | None

    def as_json(self) -> dict[str, object]:
        """The report as plain values."""
        return asdict(self)

    def lines(self) -> list[str]:
        """The report for people."""
        lines = [f"{self.operation:<10} {self.operations:>12,}   {self.rate:>12,.0f} /s"]
        if self.latency:
            lines.append("latency    " + latency_line(self.latency))
        if self.broker:
            lines.append("broker     " + cost_line(self.broker, "operation"))
        return lines


def latency_line(latency: Latency) -> str:
    """Percentiles in one line."""
    return (
        f"min {latency.min:,.0f}  median {latency.p50:,.0f}  90% {latency.p90:,.0f}  99% {latency.p99:,.0f}  "
        f"99.9% {latency.p999:,.0f}  max {latency.max:,.0f} us"
    )


def cost_line(cost: BrokerCost, unit: str) -> str:
    """The broker's cost in one line."""
    return f"{cost.cpu_us:.3f} us CPU per {unit}, RSS {cost.rss_before_mb:.1f} to {cost.rss_after_mb:.1f} MB"
