"""Disks that fail for a while: full ones, writes and syncs that fail, by chance."""

from __future__ import annotations

import errno
from random import Random

from tests.storage.simulated_disk import Fault, SimulatedDisk

PATHS = ["", "journal", "segments", "spool"]
NAMING = ["create", "rename", "remove", "sync directory", "allocate", "truncate", "make directory"]
ROOMS_BYTES = [0, 1_000, 20_000, 200_000]


class Trouble:
    """What is wrong with one disk at the moment."""

    def __init__(self, random: Random, disk: SimulatedDisk) -> None:
        self._random = random
        self._disk = disk
        self.is_on = False

    def begin(self) -> None:
        """Have something fail, beside what fails already: now or later, once or until the trouble ends."""
        self.is_on = True
        random, disk = self._random, self._disk
        choice = random.randrange(8)
        if choice == 0:
            disk.capacity_bytes = disk.used_bytes + random.choice(ROOMS_BYTES)
            return
        if choice < 4:
            number, kind = random.choice([errno.ENOSPC, errno.EIO]), "write"
        elif choice < 7:
            number, kind = errno.EIO, "sync"
        else:
            number, kind = random.choice([errno.ENOSPC, errno.EIO]), random.choice(NAMING)
        skip, count = random.choice([0, 0, 1, 5]), random.choice([1, 1, 2, 5, -1])
        disk.faults.append(Fault(number, kind, path=random.choice(PATHS), skip=skip, count=count))

    def end(self) -> None:
        """Have nothing fail any more."""
        self.is_on = False
        self._disk.faults.clear()
        self._disk.capacity_bytes = -1
