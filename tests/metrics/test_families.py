"""The tables of families: names that Prometheus takes, each once."""

import re

from supersoniq.metrics import families
from supersoniq.metrics.families import COUNTER, GAUGE, Family

TABLES = {
    name: table
    for name, table in vars(families).items()
    if isinstance(table, tuple) and table and isinstance(table[0], Family)
}


def test_names_are_names() -> None:
    for table in TABLES.values():
        for family in table:
            assert re.fullmatch(r"[a-z][a-z0-9_]*", family.name)
            assert not family.name.endswith("_total")
            assert family.kind in (COUNTER, GAUGE)
            assert len(family.text) > 10


def test_each_name_is_there_once() -> None:
    tables = [table for name, table in TABLES.items() if name != "QUEUE_CONSUMER_COUNT"]
    names = [family.name for table in tables for family in table]
    assert len(names) == len(set(names))
    assert families.QUEUE_CONSUMER_COUNT[0] == families.QUEUE[0]
