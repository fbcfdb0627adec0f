"""What views have in common."""

from supersoniq.management.views.common import idle_view, iso_time


def test_times_are_written_as_rabbitmq_does() -> None:
    assert iso_time(1795750726849) == "2026-11-27T03:38:46.849+00:00"


def test_field_is_absent_while_something_happens() -> None:
    assert idle_view(0) == {}
    assert idle_view(1795750726849) == {"idle_since": "2026-11-27T03:38:46.849+00:00"}
