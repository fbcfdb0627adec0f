"""What memory is used for."""

from supersoniq.management.views.memory import relative


def test_parts_are_percentages_of_the_whole() -> None:
    memory = {
        "binary": 50,
        "other_proc": 150,
        "plugins": 0,
        "code": 1,
        "strategy": "rss",
        "total": {"rss": 201},
    }
    assert relative(memory) == {"total": 100, "binary": 24, "other_proc": 74, "plugins": 0, "code": 1}
