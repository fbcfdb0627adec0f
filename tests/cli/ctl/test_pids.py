"""Pids that name connections."""

from supersoniq.cli.ctl.pids import matches, number_of, pid_of


def test_pid_leads_back_to_its_connection() -> None:
    pid = pid_of("rabbit@some.host", "127.0.0.1:1 -> 127.0.0.1:2")
    assert pid.startswith("<rabbit@some.host.1.")
    assert pid.endswith(".0>")
    assert matches(pid, "127.0.0.1:1 -> 127.0.0.1:2")
    assert not matches(pid, "127.0.0.1:1 -> 127.0.0.1:3")


def test_other_texts_are_no_pids() -> None:
    assert [number_of(text) for text in ("", "<a.b>", "<a.b.c>", "<n@h.1.42.0>")] == [0, 0, 0, 42]
