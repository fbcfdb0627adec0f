"""Messages in JSON and back."""

from hypothesis import given
from hypothesis import strategies as st

from supersoniq.management.views.messages import payload_of, payload_view, properties_of, properties_view


@given(st.binary(max_size=50))
def test_payload_comes_back_from_either_encoding(body: bytes) -> None:
    for encoding in ("auto", "base64"):
        shown = payload_view(body, encoding, None)
        assert payload_of(shown["payload"], shown["payload_encoding"]) == body


def test_text_that_is_cut_within_a_character_comes_in_base64() -> None:
    assert payload_view("é".encode(), "auto", 1) == {"payload": "ww==", "payload_encoding": "base64"}
    assert payload_view("é".encode(), "auto", 2)["payload"] == "é"
    assert payload_view(b"abc", "auto", -1)["payload"] == ""


texts = st.text(st.characters(codec="utf-8"), max_size=10)
properties = st.fixed_dictionaries(
    {},
    optional={
        "content_type": texts,
        "correlation_id": texts,
        "delivery_mode": st.integers(0, 255),
        "priority": st.integers(0, 255),
        "timestamp": st.integers(0, (1 << 64) - 1),
        "headers": st.dictionaries(texts, st.integers(-9, 9) | texts | st.booleans(), max_size=3),
    },
)


@given(properties)
def test_properties_come_back(values: dict[str, object]) -> None:
    header = properties_of(values).content_header(0)
    assert properties_view(header) == (values or [])
