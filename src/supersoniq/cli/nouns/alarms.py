"""`supersoniq alarms`: what keeps publishers waiting."""

from supersoniq.cli.remote.call import Call
from supersoniq.cli.remote.cells import Column
from supersoniq.cli.remote.reading import alarms_of
from supersoniq.cli.remote.words import Command

COLUMNS = (Column("node", "node"), Column("alarm", "alarm"), Column("why", "why"), Column("do", "advice"))


def list_(call: Call) -> None:
    """List the alarms that are on; exit code 1 if there is one."""
    alarms = [alarm for node in call.api.get("nodes") for alarm in alarms_of(node)]
    if alarms or call.as_json:
        call.show(alarms, COLUMNS)
    else:
        call.done("no alarm is on")
    if alarms:
        raise SystemExit(1)


VERBS: dict[str, Command] = {"list": list_}
