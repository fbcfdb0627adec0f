"""`supersoniq health`: may clients use the node? The exit code says it to probes."""

from typing import Annotated

from supersoniq.cli.remote.api import ApiError, Refused
from supersoniq.cli.remote.call import Call
from supersoniq.cli.remote.cells import Column, Item
from supersoniq.cli.remote.words import Command, Option

# What each check of the API finds out, as a claim.
CHECKS = (
    (("alarms",), "no alarm is on"),
    (("virtual-hosts",), "every virtual host runs"),
    (("protocol-listener", "amqp"), "clients can connect"),
)
COLUMNS = (Column("", "mark"), Column("check", "check"), Column("reason", "reason"))


def health(
    call: Call,
    quiet: Annotated[bool, Option(("--quiet", "-q"), "Say nothing but why it is not healthy.")] = False,
) -> None:
    """Check the node; exit code 1 if it is not healthy, or does not answer."""
    try:
        results = [_result(call, parts, claim) for parts, claim in CHECKS]
    except ApiError as error:
        results = [{"check": "the node answers", "healthy": False, "reason": str(error)}]
    failed = [result for result in results if not result["healthy"]]
    if call.as_json:
        call.json({"healthy": not failed, "checks": results})
    elif failed:
        call.note("unhealthy: " + "; ".join([f"{result['reason']}" for result in failed]))
    elif not quiet:
        print("healthy: " + ", ".join([result["check"] for result in results]))
    if failed:
        raise SystemExit(1)


def _result(call: Call, parts: tuple[str, ...], claim: str) -> Item:
    try:
        call.api.get("health", "checks", *parts)
    except Refused as error:
        if error.status != 503:
            raise
        return {"check": claim, "healthy": False, "reason": str(error)}
    return {"check": claim, "healthy": True, "reason": ""}


COMMAND: Command = health
