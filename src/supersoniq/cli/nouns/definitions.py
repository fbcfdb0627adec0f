"""`supersoniq definitions`: everything that is configured in the node, as one JSON file."""

import json
import os
import sys
from typing import Annotated, Any

from supersoniq.cli.nouns.shared import json_of, read_file
from supersoniq.cli.remote.call import Call, Failed, WrongUse
from supersoniq.cli.remote.cells import Column, Item
from supersoniq.cli.remote.differing import Difference, differences
from supersoniq.cli.remote.words import Argument, Command, Option

OfVhost = Annotated[
    str | None, Option(("--vhost", "-p"), "Of this virtual host only, without users.", "VHOST", (), "vhosts")
]
WOULD_DO = (
    Column("do", "action"),
    Column("kind", "kind"),
    Column("name", "name"),
    Column("vhost", "vhost"),
    Column("changed", "changed"),
    Column("reason", "reason"),
)
File = Annotated[str, Argument("FILE", "The file; - is standard input.")]


def list_(call: Call, vhost: OfVhost = None) -> None:
    """Count what there is of each kind."""
    definitions = _current(call, vhost)
    if call.as_json:
        call.json({kind: len(items) for kind, items in definitions.items() if isinstance(items, list)})
        return
    call.show_one({kind: str(len(items)) for kind, items in definitions.items() if isinstance(items, list)})


def export(
    call: Call,
    file: Annotated[str, Argument("FILE", "The file to write; - is standard output.")] = "-",
    vhost: OfVhost = None,
) -> None:
    """Write all definitions, with the hashes of passwords: keep the file to yourself."""
    text = json.dumps(_current(call, vhost), indent=2, ensure_ascii=False) + "\n"
    if file == "-":
        sys.stdout.write(text)
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise Failed(f"{file} cannot be written: {(error.strerror or str(error)).lower()}") from None
    call.done(f"definitions are in {file}")


def import_(
    call: Call,
    file: File,
    dry_run: Annotated[
        bool, Option(("--dry-run",), "Change nothing; say what the node would do with each thing.")
    ] = False,
    vhost: OfVhost = None,
) -> None:
    """Create what a file of RabbitMQ, LavinMQ or this broker defines. Nothing is deleted."""
    definitions = _read(file)
    if dry_run:
        call.show(call.api.post("definitions", *_only(vhost), body=definitions, dry_run=True), WOULD_DO)
        return
    answer = call.api.post("definitions", *_only(vhost), body=definitions)
    if call.as_json:
        call.json(answer if answer is not None else {"done": "imported"})
        return
    counts = [
        f"{len(items)} {kind.replace('_', ' ')}" for kind, items in definitions.items() if _is_list(items)
    ]
    call.done(f"imported {', '.join(counts) or 'nothing'}")
    for text in _unhonoured(answer):
        call.note(f"not honoured: {text}")


def diff(call: Call, file: File, vhost: OfVhost = None) -> None:
    """Say what an import would create and change, and what only the node has; exit code 1 if they differ."""
    wanted = _read(file)
    found = differences(_current(call, vhost), wanted)
    if call.as_json:
        call.json([difference._asdict() for difference in found])
    else:
        for difference in found:
            print(_line(difference))
    if found:
        raise SystemExit(1)
    call.note("no difference")


def _current(call: Call, vhost: str | None) -> dict[str, Any]:
    if vhost is not None:
        call.known("virtual host", vhost, ("vhosts", vhost))
    current: dict[str, Any] = call.api.get("definitions", *_only(vhost))
    return current


def _only(vhost: str | None) -> list[str]:
    return [] if vhost is None else [vhost]


def _read(file: str) -> Item:
    text = read_file(file)
    try:
        definitions = json_of(text.decode(), f"file {file}")
    except UnicodeDecodeError:
        raise WrongUse(f"the file {file} is not JSON: it is not UTF-8") from None
    if not isinstance(definitions, dict):
        raise WrongUse(f"the file {file} has no definitions: it is not a JSON object")
    return definitions


def _is_list(items: object) -> bool:
    return isinstance(items, list) and bool(items)


def _unhonoured(answer: object) -> list[str]:
    """What the node says that it cannot do of what it has imported."""
    found = answer.get("not_honoured", []) if isinstance(answer, dict) else []
    return [" ".join([str(part) for part in item.values() if part]) for item in found]


def _line(difference: Difference) -> str:
    sign = {"added": "+", "removed": "-", "changed": "~"}[difference.change]
    return f"{sign} {difference.kind} {difference.name}{': ' if difference.detail else ''}{difference.detail}"


VERBS: dict[str, Command] = {"list": list_, "export": export, "import": import_, "diff": diff}
