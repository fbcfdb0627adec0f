"""A node that is killed amid changes of operators has all that was answered when it comes back."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from tests.control.site import Site
from tests.faults.changes import OPERATOR, make

from supersoniq.control.administration import Administration
from supersoniq.control.parameters import CLUSTER_ID
from supersoniq.definitions_file.document import parse_document
from supersoniq.definitions_file.export import export_node
from supersoniq.definitions_file.importing import Import
from supersoniq.embedded import Broker

ROOT = Path(__file__).parents[2]
KILLS = 2


def sorted_parts(administration: Administration) -> dict[str, object]:
    """All that operators have set, in an order that does not depend on that of the changes."""
    exported = export_node(administration, "x", "1")
    named = {name: parts for name, parts in exported.items() if isinstance(parts, list)}
    # A file does not bring another cluster's identity.
    return {
        name: sorted([part for part in parts if part.get("name") != CLUSTER_ID], key=repr)
        for name, parts in named.items()
    }


async def found_in(directory: Path) -> dict[str, object]:
    """What a node knows that starts on a directory."""
    async with Broker(data_dir=directory) as broker:
        return sorted_parts(broker.node.administration)


def changed_until_killed(directory: Path, seed: int, number: int, count: int) -> int:
    """Have changes made after a number, and the process killed amid them; returns the last one answered."""
    arguments = [sys.executable, "-m", "tests.faults.changes", str(directory), str(seed), str(number)]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environ, cwd=ROOT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            count -= 1
            if count == 0:
                process.send_signal(signal.SIGKILL)
            number = int(line)
    assert process.returncode == -signal.SIGKILL
    return number


@pytest.mark.parametrize("seed", range(2))
def test_what_was_answered_is_there_after_a_kill(tmp_path: Path, seed: int) -> None:
    found = asyncio.run(found_in(tmp_path))  # the first start brings what the settings do
    expected = Site().administration
    Import(expected, parse_document(json.dumps(found).encode()), {}).run(OPERATOR)
    number = 0
    for _ in range(KILLS):
        count = Random(seed + number).randrange(20, 150)
        answered = changed_until_killed(tmp_path, seed, number, count)
        while number < answered:
            number += 1
            make(expected, seed, number)
        found = asyncio.run(found_in(tmp_path))
        if found != sorted_parts(expected):
            # The one that was not answered yet is safe as a whole or not at all.
            number += 1
            make(expected, seed, number)
        assert found == sorted_parts(expected)
