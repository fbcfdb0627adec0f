"""What is refused is told in Erlang's notation, all reasons at once."""

import pytest

from supersoniq.broker.validation import ValidationFailed, check, is_name, is_number, pairs, term


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        (True, "true"),
        (-1, "-1"),
        (1.5, "1.5"),
        ("", "<<>>"),
        ('a"b\\', '<<"a\\"b\\\\">>'),
        ([1, "x"], '[1,<<"x">>]'),
        ({"a": 1}, '#{<<"a">> => 1}'),
    ],
)
def test_value_is_shown_as_erlang_does(value: object, shown: str) -> None:
    assert term(value) == shown


def test_pairs_are_in_order_of_names() -> None:
    assert pairs({"b": 1, "a": "x"}) == '[{<<"a">>,<<"x">>},{<<"b">>,1}]'


def test_all_reasons_are_told() -> None:
    check([])
    with pytest.raises(ValidationFailed) as caught:
        check(["one", "two"])
    assert str(caught.value) == "Validation failed\n\none\ntwo\n"


def test_true_is_no_number() -> None:
    assert [is_number(value) for value in (0, -5, True, 1.0, "1", None)] == [True, True] + [False] * 4


def test_name_fits_into_a_short_string() -> None:
    assert is_name("")
    assert is_name("é" * 127)
    assert not is_name("é" * 128)
    assert not is_name("\ud800")
    assert not is_name(5)
