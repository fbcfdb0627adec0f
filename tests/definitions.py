"""What hypothesis draws: fields and tables of the wire, keys, and streams that are cut anywhere."""

import itertools
import math

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from supersoniq.amqp.tables import Field, Table

# Neither a busy machine nor an interpreted core may fail a test for its time.
thorough = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
brief = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])

U64_MAX = 2**64 - 1
SIGNED = {"b": 8, "s": 16, "I": 32, "l": 64, "L": 64}
UNSIGNED = {"B": 8, "u": 16, "i": 32, "T": 64}

short_bytes = st.binary(max_size=20)
names = st.binary(max_size=12)


def _of_kind(kind: str, values: st.SearchStrategy[object]) -> st.SearchStrategy[Field]:
    return values.map(lambda value: Field(ord(kind), value))


def _without_nan(values: st.SearchStrategy[float]) -> st.SearchStrategy[float]:
    return values.filter(lambda value: not math.isnan(value))


scalars: st.SearchStrategy[Field] = st.one_of(
    *[_of_kind(kind, st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)) for kind, bits in SIGNED.items()],
    *[_of_kind(kind, st.integers(0, 2**bits - 1)) for kind, bits in UNSIGNED.items()],
    _of_kind("t", st.booleans()),
    _of_kind("V", st.none()),
    _of_kind("S", short_bytes),
    _of_kind("x", short_bytes),
    _of_kind("f", _without_nan(st.floats(width=32))),
    _of_kind("d", _without_nan(st.floats())),
    _of_kind("D", st.tuples(st.integers(0, 255), st.integers(0, 2**32 - 1))),
)
fields: st.SearchStrategy[Field] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        _of_kind("A", st.lists(inner, max_size=4)), _of_kind("F", st.dictionaries(names, inner, max_size=4))
    ),
    max_leaves=8,
)
tables: st.SearchStrategy[Table] = st.dictionaries(names, fields, max_size=5)


def shown(field: Field) -> object:
    """A field as values that can be compared, types included."""
    if isinstance(field.value, list):
        return chr(field.kind), [shown(item) for item in field.value]
    if isinstance(field.value, dict):
        return chr(field.kind), shown_table(field.value)
    return chr(field.kind), field.value


def shown_table(table: Table) -> object:
    """A table as values that can be compared, order and types included."""
    return [(name, shown(field)) for name, field in table.items()]


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    """The stream in pieces, cut at each place that lies within it."""
    edges = sorted({0, len(stream), *[place % (len(stream) + 1) for place in places]})
    return [stream[start:end] for start, end in itertools.pairwise(edges)]
