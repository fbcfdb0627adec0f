"""The keys of bindings."""

from hypothesis import given
from hypothesis import strategies as st

from supersoniq.amqp.tables import table_of
from supersoniq.management.views.bindings import Bound, is_key_of, properties_key

names = st.binary(max_size=20)
tables = st.dictionaries(st.text(max_size=5), st.integers(-5, 5) | st.text(max_size=5), max_size=3)


@given(names, tables)
def test_key_names_its_binding_and_no_other(routing_key: bytes, arguments: dict[str, object]) -> None:
    each = Bound("/", b"x", b"q", True, routing_key, table_of(arguments))
    other = Bound("/", b"x", b"q", True, routing_key + b"x", table_of(arguments))
    assert is_key_of(each.key, each)
    assert not is_key_of(each.key, other)


def test_key_does_not_depend_on_the_order_of_arguments() -> None:
    one, other = table_of({"a": 1, "b": 2}), table_of({"b": 2, "a": 1})
    assert properties_key(b"k", one) == properties_key(b"k", other)
    assert properties_key(b"", {}) == "~"
