"""Pages as Prometheus reads them, by prometheus_client's own parsers."""

import asyncio
from collections.abc import AsyncIterator

from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics_families
from prometheus_client.parser import text_string_to_metric_families
from tests.metrics.bench import ScriptSources
from tests.session.script import Node

from supersoniq.metrics.pages import Page, Pages
from supersoniq.metrics.sampling import Sampling

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


class Read:
    """What a page says: samples by name and labels, and types of families."""

    def __init__(self, text: str, is_open_metrics: bool = False) -> None:
        self.samples: Samples = {}
        self.types: dict[str, str] = {}
        parse = open_metrics_families if is_open_metrics else text_string_to_metric_families
        for family in parse(text):
            assert family.name not in self.types, f"{family.name} is there twice"
            self.types[family.name] = family.type
            for sample in family.samples:
                key = (sample.name, frozenset(sample.labels.items()))
                assert key not in self.samples, f"{key} is there twice"
                self.samples[key] = sample.value

    def value(self, name: str, **labels: str) -> float:
        return self.samples[name, frozenset(labels.items())]

    def labelled(self, name: str) -> dict[frozenset[tuple[str, str]], float]:
        return {labels: value for (sample, labels), value in self.samples.items() if sample == name}

    def label_names(self, name: str) -> set[frozenset[str]]:
        return {frozenset(dict(labels)) for sample, labels in self.samples if sample == name}


async def gathered(pieces: AsyncIterator[bytes]) -> str:
    return b"".join([piece async for piece in pieces]).decode()


class Reader:
    """The pages of a node of scripts."""

    def __init__(self, node: Node) -> None:
        self.sources = ScriptSources(node)
        self.sampling = Sampling(self.sources)
        self.pages = Pages(self.sources, self.sampling)

    def page(self, path: str = "/metrics", accept: str = "", **query: list[str]) -> Page:
        page = self.pages.page(path, query, accept)
        assert page is not None
        return page

    def text(self, path: str = "/metrics", accept: str = "", **query: list[str]) -> str:
        return asyncio.run(gathered(self.page(path, accept, **query).pieces))

    def read(self, path: str = "/metrics", **query: list[str]) -> Read:
        return Read(self.text(path, "", **query))
