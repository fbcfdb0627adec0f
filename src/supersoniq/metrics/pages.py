"""The pages for Prometheus: which there are, and how each is put together.

`/metrics` is of everything together, `/metrics/per-object` of each queue, channel and connection, and
`/metrics/detailed?family=…&vhost=…` of the groups and virtual hosts that are asked for.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from prometheus_client import Metric
from prometheus_client.registry import Collector

from supersoniq.metrics.census import census_of
from supersoniq.metrics.node_metrics import (
    auth_attempts,
    churn_metrics,
    identity,
    node_coarse,
    node_limits,
    persister,
)
from supersoniq.metrics.node_page import AGGREGATED, DETAILED, PER_OBJECT, PREFIX, NodePage
from supersoniq.metrics.object_pages import GROUPS_PER_OBJECT, ObjectPage
from supersoniq.metrics.sampling import Sampling
from supersoniq.metrics.sources import Sources
from supersoniq.metrics.writer import Writer
from supersoniq.server.slices import Slices

DETAILED_PREFIX: Final = "rabbitmq_detailed_"
Query = Mapping[str, Sequence[str]]


class Page(NamedTuple):
    """One page; `pieces` are made as they are taken, with pauses in which the loop belongs to others."""

    content_type: str
    pieces: AsyncIterator[bytes]


class Pages:
    """Writes pages for one node."""

    def __init__(self, sources: Sources, sampling: Sampling) -> None:
        self._sources = sources
        self._sampling = sampling

    def page(self, path: str, query: Query, accept: str) -> Page | None:
        """Return a page in the format that a client accepts, None if there is no such page."""
        writer = Writer(accept)
        if path == "/metrics":
            pieces = self._aggregated(writer, AGGREGATED)
        elif path == "/metrics/per-object":
            pieces = self._per_object(writer)
        elif path == "/metrics/detailed":
            pieces = self._detailed(writer, frozenset(query.get("family", ())), query.get("vhost"))
        else:
            return None
        return Page(writer.content_type, pieces)

    def _slices(self) -> Slices:
        turn = self._sources.context.turn
        return Slices(lambda: turn.count)

    async def _aggregated(self, writer: Writer, endpoint: str) -> AsyncIterator[bytes]:
        slices = self._slices()
        census = await census_of(self._sources, self._sampling.last_ms, slices)
        await slices.breathe()
        yield writer.metrics(NodePage(self._sources, census, endpoint))
        if endpoint == AGGREGATED:
            yield writer.end()

    async def _per_object(self, writer: Writer) -> AsyncIterator[bytes]:
        async for piece in self._aggregated(writer, PER_OBJECT):
            yield piece
        page = ObjectPage(self._sources, writer, self._slices(), PREFIX)
        async for piece in page.pieces(GROUPS_PER_OBJECT, self._sampling.last_ms):
            yield piece
        yield writer.end()

    async def _detailed(
        self, writer: Writer, groups: frozenset[str], vhosts: Sequence[str] | None
    ) -> AsyncIterator[bytes]:
        page = ObjectPage(self._sources, writer, self._slices(), DETAILED_PREFIX, vhosts)
        async for piece in page.pieces(groups, self._sampling.last_ms):
            yield piece
        yield writer.metrics(_NodeGroups(self._sources, groups))
        yield writer.end()


class _NodeGroups(Collector):
    """The groups of the node itself that are asked for, and its identity, which always is."""

    def __init__(self, sources: Sources, groups: frozenset[str]) -> None:
        self._sources = sources
        self._groups = groups

    def collect(self) -> Iterator[Metric]:
        sources, groups = self._sources, self._groups
        if "connection_churn_metrics" in groups:
            yield from churn_metrics(DETAILED_PREFIX, sources)
        if "node_coarse_metrics" in groups:
            yield from node_coarse(DETAILED_PREFIX, sources.figures())
        if "node_metrics" in groups:
            yield from node_limits(DETAILED_PREFIX, sources)
        if "node_persister_metrics" in groups:
            yield from persister(DETAILED_PREFIX, sources.figures())
        if "auth_attempt_metrics" in groups:
            yield from auth_attempts(DETAILED_PREFIX, sources.context)
        yield from identity(sources.facts(), DETAILED)
