"""`supersoniq alarms`."""

from tests.cli.conftest import Ask
from tests.cli.fake_node import FakeNode


def test_no_alarm_is_exit_code_0(node: FakeNode, ask: Ask) -> None:
    node.get("nodes", [{"name": "n", "mem_alarm": False}])
    assert ask("alarms") == (0, "no alarm is on\n", "")
    assert ask("alarms", "--json") == (0, "[]\n", "")


def test_alarm_is_exit_code_1(node: FakeNode, ask: Ask) -> None:
    node.get("nodes", [{"name": "n", "mem_alarm": True, "mem_used": 2, "mem_limit": 1}])
    said = ask("alarms")
    assert said.code == 1
    assert said.out.splitlines()[1].startswith("n     memory  2 B used, the limit is 1 B  ")
