"""`supersoniq doctor`: look for everything that is wrong, or will be, and say what to do."""

from collections.abc import Callable
from typing import Annotated

from supersoniq.cli.nouns.users import authenticates
from supersoniq.cli.remote.api import Api, ApiError, Refused, Unreachable
from supersoniq.cli.remote.call import Call
from supersoniq.cli.remote.endpoint import data_dir_of
from supersoniq.cli.remote.table import BOLD, GREEN, PLAIN, RED, YELLOW, printable
from supersoniq.cli.remote.words import Command, Option
from supersoniq.cli.watch.findings import (
    CLOCK_SECONDS_MAX,
    ERROR,
    WARNING,
    Finding,
    connection_findings,
    consumer_findings,
    node_findings,
    queue_findings,
    version_findings,
)
from supersoniq.cli.watch.local_findings import configuration_findings, directory_findings

Check = tuple[str, Callable[[], list[Finding]]]
QUEUE_FIELDS = "name,vhost,consumers,messages_ready,state"
CERTIFICATE_DAYS = 30


def doctor(
    call: Call,
    strict: Annotated[bool, Option(("--strict",), "Exit code 1 for warnings, too.")] = False,
) -> None:
    """Check configuration, limits, disk, clock, descriptors, leaks, alarms, certificates and version.

    Exit code 1 if something is wrong.
    """
    results = _results(_checks(call))
    if call.as_json:
        call.json([{"check": name} | finding._asdict() for name, found in results for finding in found])
    else:
        for name, found in results:
            print("\n".join(_lines(name, found, call.is_terminal)))
    levels = {finding.level for _, found in results for finding in found}
    if ERROR in levels or (strict and levels):
        raise SystemExit(1)


def _checks(call: Call) -> list[Check]:
    api, where = call.api, call.where
    checks: list[Check] = []
    if api.endpoint.path:
        directory = data_dir_of(where, call.environ)
        checks = [
            ("configuration", lambda: _configuration(call)),
            ("data directory", lambda: directory_findings(directory)),
        ]
    return [
        *checks,
        ("node", lambda: [finding for node in api.get("nodes") for finding in node_findings(node)]),
        ("version", lambda: version_findings(api.get("overview"), _installed())),
        ("clock", lambda: _clock(api)),
        ("certificates", lambda: _certificates(api)),
        ("connections", lambda: connection_findings(api.listed("connections"), api.get("overview"))),
        ("consumers", lambda: consumer_findings(api.get("consumers"), api.listed("channels"))),
        ("queues", lambda: queue_findings(api.listed("queues", columns=QUEUE_FIELDS))),
    ]


def _results(checks: list[Check]) -> list[tuple[str, list[Finding]]]:
    """What each check finds; that it cannot be made is a finding, too, and without a node the last."""
    results: list[tuple[str, list[Finding]]] = []
    for name, check in checks:
        try:
            results.append((name, check()))
        except Unreachable as error:
            return [*results, (name, [Finding(ERROR, str(error), "start it: `supersoniq serve`")])]
        except ApiError as error:
            advice = "see the log; most needs a user with the tag administrator"
            results.append((name, [Finding(ERROR, str(error), advice)]))
    return results


def _configuration(call: Call) -> list[Finding]:
    def takes_guest() -> bool:
        return authenticates(call.api, "guest", "guest")

    return configuration_findings(call.where.data_dir, call.where.config, call.environ, takes_guest)


def _installed() -> str:
    import supersoniq

    return supersoniq.__version__


def _clock(api: Api) -> list[Finding]:
    """Messages expire and are delayed by the node's clock."""
    import time
    from email.utils import parsedate_to_datetime

    said = api.date()
    if not said:
        return []
    here = time.time()  # noqa: TID251 (the one of this machine is meant)
    seconds = abs(here - parsedate_to_datetime(said).timestamp())
    if seconds <= CLOCK_SECONDS_MAX:
        return []
    what = f"the clock of the node and the one here differ by {seconds:,.0f} s"
    return [Finding(WARNING, what, "synchronise both (chrony, systemd-timesyncd)")]


def _certificates(api: Api) -> list[Finding]:
    try:
        api.get("health", "checks", "certificate-expiration", str(CERTIFICATE_DAYS), "days")
    except Refused as error:
        if error.status != 503:
            raise
        return [Finding(WARNING, str(error), "renew them, then send the node SIGHUP")]
    return []


def _lines(name: str, found: list[Finding], is_terminal: bool) -> list[str]:
    """A check as lines: what is well in one, each finding with what to do."""
    if not found:
        return [_styled("ok", GREEN, is_terminal) + f"       {name}"]
    lines = []
    for finding in found:
        color = RED if finding.level == ERROR else YELLOW
        mark = _styled(finding.level, color, is_terminal) + " " * (9 - len(finding.level))
        what = f"{name}: {printable(finding.what)}"
        lines.append(mark + (f"{BOLD}{what}{PLAIN}" if is_terminal else what))
        lines.append(f"         → {printable(finding.advice)}")
    return lines


def _styled(text: str, color: str, is_terminal: bool) -> str:
    return f"{color}{text}{PLAIN}" if is_terminal else text


COMMAND: Command = doctor
