"""The writer of pages: what prometheus_client says of each family, and samples of many objects fast.

The library takes ten times as long for a sample as these lines do, and has a page in memory as a whole.
"""

from collections.abc import Iterator, Sequence

from prometheus_client import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from supersoniq.metrics.families import COUNTER, Family

END = b"# EOF\n"
# Lines of one piece: some milliseconds at most.
PIECE_LINES = 200

Row = tuple[str, Sequence[float]]


class _Metrics(Collector):
    """A collector of what is there already."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Sequence[Metric]:
        return self._metrics


class Writer:
    """Writes one page in the format that a client accepts; `content_type` names it."""

    def __init__(self, accept: str) -> None:
        self._encode, self.content_type = choose_encoder(accept)
        self.is_open_metrics = "openmetrics" in self.content_type

    def metrics(self, collector: Collector) -> bytes:
        """Return families as prometheus_client writes them, without the end of the page."""
        return self._encode(collector).removesuffix(END)

    def end(self) -> bytes:
        """Return the end of the page."""
        return END if self.is_open_metrics else b""

    def families(self, prefix: str, table: Sequence[Family], rows: Sequence[Row]) -> Iterator[bytes]:
        """Yield families in pieces; `rows` are labels and the values for `table`. No rows, no families."""
        if not rows:
            return
        for index, family in enumerate(table):
            name = f"{family.prefix}_{family.name}"
            if family.prefix == "rabbitmq":
                name = prefix + family.name
            metric = Metric(name, family.text, family.kind)
            yield self.metrics(_Metrics([metric]))
            sample = f"{name}_total" if family.kind == COUNTER else name
            for start in range(0, len(rows), PIECE_LINES):
                part = rows[start : start + PIECE_LINES]
                lines = [f"{sample}{{{labels}}} {values[index]}\n" for labels, values in part]
                yield "".join(lines).encode()
