"""The page of `rabbitmqctl status`."""

from supersoniq.cli.ctl.status_page import memory_lines


def test_memory_is_told_with_its_share() -> None:
    assert memory_lines({"code": 250_000_000, "other": 0}, 1_000_000_000) == [
        "code: 0.25 gb (25.0 %)",
        "other: 0.0 gb (0.0 %)",
    ]
    assert memory_lines({"code": 2_500_000}, 10_000_000, "mb", "%") == ["code: 2.5 mb (25.0%)"]
    assert memory_lines({"code": 1}, 0, "bytes") == ["code: 1.0 bytes"]
