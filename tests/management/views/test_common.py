"""What views have in common."""

from supersoniq.management.views.common import iso_time


def test_times_are_written_as_rabbitmq_does() -> None:
    assert iso_time(1795750726849) == "2026-11-27T03:38:46.849+00:00"
