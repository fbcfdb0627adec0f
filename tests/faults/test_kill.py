"""A broker under load that is killed again and again loses no confirmed message and breaks no other promise.

A seed decides what kind of load it is and what the clients do, not when the machine lets them: `SEED=7` runs
one seed again.
"""

import asyncio
import os
import shutil
import signal
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from tests.faults.clients import Kind
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.nodes import Node

GIVEN = os.environ.get("SEED")
SOAK_KILLS = 1000
# Small files and little memory have the journal recycled, and queues paged out, within one load.
TIGHT = {"journal_file_bytes": "65536", "queue_memory": "64KiB"}
# What a process has written outlives its kill, synced or not.
KINDS = [
    Kind({}),
    Kind(TIGHT),
    Kind(TIGHT, is_deep=True),
    Kind(TIGHT, large_share=0.1),
    Kind(TIGHT | {"sync": "interval"}),
    Kind(TIGHT | {"sync": "never"}, large_share=0.05),
]
SEEDS = [int(GIVEN)] if GIVEN else range(len(KINDS))
KILLS = 4
MORE_KILLS = 5


def kill_again_and_again(seed: int, home: Path, kills: int = MORE_KILLS) -> Counter[str]:
    """Run one seed and count what happened; raises AssertionError with the seed if a promise was broken."""
    chance = Random(seed)
    ledger = Ledger()
    kind = KINDS[seed % len(KINDS)]
    load = Load(ledger, chance, kind)
    node = Node(home, **kind.settings)
    try:
        for _ in range(kills):
            node.start()
            asyncio.run(load.run(node.process))
            _end(node, ledger, signal.SIGKILL)
        _drain_and_stop(node, load)
    except (Exception, pytest.fail.Exception) as error:
        _check_log(node, ledger)
        raise AssertionError(f"seed {seed}, epoch {ledger.epoch}: {error}\n{shown(ledger)}") from error
    finally:
        node.close()
    ledger.close()
    assert not ledger.violations, f"seed {seed}, {shown(ledger)}"
    return ledger.counts


def shown(ledger: Ledger) -> str:
    """The first violations, and how many there are."""
    return "\n".join([f"{len(ledger.violations)} violations:", *ledger.violations[:20]])


def _drain_and_stop(node: Node, load: Load) -> None:
    node.start()
    with closing(node.wire()) as wire:
        load.drain(wire)
    _end(node, load.ledger, signal.SIGTERM)
    node.start()
    with closing(node.wire()) as wire:
        load.check_empty(wire)
    _end(node, load.ledger, signal.SIGTERM)


def _end(node: Node, ledger: Ledger, number: signal.Signals) -> None:
    """A kill does no damage, and leaves nothing for an operator to act upon."""
    node.stop(number)
    _check_log(node, ledger)


def _check_log(node: Node, ledger: Ledger) -> None:
    for line in node.process.lines:
        if '"level": "error"' in line or "damaged" in line or "Traceback" in line:
            ledger.violated(f"logged: {line.strip()}")


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_broker_keeps_its_promises(seed: int, tmp_path: Path) -> None:
    counts = kill_again_and_again(seed, tmp_path, KILLS)
    assert counts["kills"] == KILLS
    assert counts["confirmed"]
    assert counts["acked"]


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_thousand_kills_break_no_promise(tmp_path: Path) -> None:
    seed = int(GIVEN or time.time_ns() % 2**32)
    total: Counter[str] = Counter()
    while total["kills"] < SOAK_KILLS:
        home = tmp_path / str(seed)
        home.mkdir()
        total += kill_again_and_again(seed, home)
        shutil.rmtree(home)
        seed += 1
    print(dict(total))
