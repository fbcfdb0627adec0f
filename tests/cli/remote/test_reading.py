"""What the numbers of a node say."""

from supersoniq.cli.remote.reading import alarms_of

QUIET = {"name": "n", "mem_alarm": False, "disk_free_alarm": False, "alarms": []}


def test_quiet_node_has_no_alarm() -> None:
    assert alarms_of(QUIET) == []


def test_alarms_say_why_and_what_to_do() -> None:
    loud = QUIET | {
        "mem_alarm": True,
        "mem_used": 2048,
        "mem_limit": 1024,
        "disk_free_alarm": True,
        "disk_free": 10,
        "disk_free_limit": 20,
        "alarms": [{"resource": "memory"}, {"resource": "store", "reason": "no space left"}],
    }
    alarms = alarms_of(loud)
    assert [alarm["alarm"] for alarm in alarms] == ["memory", "disk", "store"]
    assert [alarm["why"] for alarm in alarms] == [
        "2.0 KiB used, the limit is 1.0 KiB",
        "10 B free, the limit is 20 B",
        "no space left",
    ]
    assert all(alarm["advice"] and alarm["node"] == "n" for alarm in alarms)
