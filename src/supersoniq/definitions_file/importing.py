"""Importing: what a document says is put into a node, all of it or nothing, or only compared with it.

It is rehearsed first, beside the node, so that nothing is refused halfway. What is missing is made, what is
there is given what the document says of it, and nothing is ever deleted.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Literal, NamedTuple

from supersoniq.amqp.errors import AMQPError
from supersoniq.auth.passwords import PasswordHash
from supersoniq.broker.policies import Policy
from supersoniq.control.actor import Actor
from supersoniq.control.administration import Administration
from supersoniq.control.errors import ControlError
from supersoniq.definitions_file.document import Document, DocumentError
from supersoniq.definitions_file.leftovers import Leftover, leftovers_of
from supersoniq.definitions_file.staging import staged
from supersoniq.definitions_file.steps import Picture, PolicyStep, Step, steps_of

IMPORTED: Final = "supersoniq.definitions.imported"  # RabbitMQ has no event of that

Action = Literal["create", "change", "keep", "refuse"]


class Difference(NamedTuple):
    """What an import would do with one thing. Passwords are not shown; `changed` says if they differ."""

    kind: str
    vhost: str
    name: str
    action: Action
    reason: str = ""
    before: dict[str, object] | None = None
    after: dict[str, object] | None = None
    changed: tuple[str, ...] = ()


class Imported(NamedTuple):
    """What an import has done, and what of the document it could not honour."""

    sequence: int
    created: int
    changed: int
    leftovers: list[Leftover]


class Import:
    """One document for one node. `hashes` are those of its clear passwords, by the names of the users."""

    def __init__(
        self, administration: Administration, document: Document, hashes: Mapping[str, PasswordHash]
    ) -> None:
        self._administration = administration
        self._hashes = hashes
        self._document, self.leftovers = leftovers_of(document, administration.vhosts)

    def run(self, actor: Actor) -> Imported:
        """Put it into the node; raises DocumentError before anything is changed."""
        administration = self._administration
        stage = staged(administration, self._document)
        wanted: list[Step] = []
        changed: set[tuple[str, str, str]] = set()
        created = 0
        for step in steps_of(self._document, self._hashes):
            before = step.picture(administration)
            with _said_at(step.place):
                step.rehearse(stage, actor)
            # What is the same is left alone, unless the document has it in another way before.
            key = (step.kind, step.vhost, step.name)
            if step.picture(stage) != before or key in changed:
                wanted.append(step)
                changed.add(key)
                created += before is None
        with administration.together():
            self._apply(wanted, actor)
        changed_count = len(wanted) - created
        if wanted:
            counts: dict[str, object] = {"created": created, "changed": changed_count}
            administration.tell(actor, IMPORTED, {**counts, "left_out": len(self.leftovers)})
        return Imported(administration.sequence, created, changed_count, self.leftovers)

    def _apply(self, steps: list[Step], actor: Actor) -> None:
        policies: dict[str, list[Policy]] = {}
        for step in steps:
            if isinstance(step, PolicyStep):
                policies.setdefault(step.vhost, []).append(step.policy())
                continue
            if policies and step.kind in ("exchange", "queue", "binding", "vhost_limits"):
                self._put(policies, actor)
            step.apply(self._administration, actor)
        self._put(policies, actor)

    def _put(self, policies: dict[str, list[Policy]], actor: Actor) -> None:
        """Set all policies of each virtual host at once: each time all queues are looked at."""
        for vhost, each in policies.items():
            self._administration.put_policies(vhost, each, actor)
        policies.clear()

    def differences(self, actor: Actor) -> list[Difference]:
        """Return what `run` would do, also where it would refuse all of it; raises DocumentError."""
        stage = staged(self._administration, self._document)
        found: list[Difference] = []
        for step in steps_of(self._document, self._hashes):
            before = step.picture(self._administration)
            try:
                with _said_at(step.place):
                    step.rehearse(stage, actor)
            except DocumentError as error:
                found.append(_difference(step, "refuse", before, None, str(error)))
                continue
            after = step.picture(stage)
            action: Action = "create" if before is None else "keep" if before == after else "change"
            found.append(_difference(step, action, before, after))
        return found


def _difference(step: Step, action: Action, before: Picture, after: Picture, reason: str = "") -> Difference:
    names = sorted({*(before or {}), *(after or {})}) if action == "change" else []
    changed = [name for name in names if (before or {}).get(name) != (after or {}).get(name)]
    return Difference(
        step.kind, step.vhost, step.name, action, reason, _shown(before), _shown(after), tuple(changed)
    )


def _shown(picture: Picture) -> Picture:
    if picture is None:
        return None
    return {name: value for name, value in picture.items() if not isinstance(value, PasswordHash)}


@contextmanager
def _said_at(place: str) -> Iterator[None]:
    """Have what is refused name the part that asked for it, in one line."""
    try:
        yield
    except DocumentError as error:
        raise DocumentError(f"{place}: {error}") from None
    except AMQPError as error:
        raise DocumentError(f"{place}: {error.text}") from None
    except ControlError as error:
        raise DocumentError(f"{place}: {' '.join(error.reason.split())}") from None
