"""Adapters: the store, the disk and the clock as other parts want to see them."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import supersoniq
from supersoniq.assembly.identity import COMPATIBLE_VERSION, node_name
from supersoniq.broker.vhost import VHost
from supersoniq.management.context import NodeFacts
from supersoniq.server.clock import LoopClock
from supersoniq.server.memory import release_free_bytes, resident_bytes
from supersoniq.server.memory_watch import Memory
from supersoniq.server.server import Server
from supersoniq.server.store_watch import Storage
from supersoniq.session.context import Buffered
from supersoniq.storage.direct import Bystander, Direct
from supersoniq.storage.disk import SystemDisk
from supersoniq.storage.recovery import Mender
from supersoniq.storage.share import UNKNOWN_BYTES
from supersoniq.storage.store import DiskStore

if TYPE_CHECKING:
    from supersoniq.tls.certificates import Certificates

logger = logging.getLogger(__name__)


class ClockedFacts(NodeFacts):
    """What is known of this node."""

    def __init__(self, clock: LoopClock, data_dir: Path | None) -> None:
        where = "" if data_dir is None else str(data_dir)
        version = supersoniq.__version__
        super().__init__(node_name(), int(clock.now_ms()), version, COMPATIBLE_VERSION, where)
        self.certificates: Certificates | None = None
        self._clock = clock

    def now_ms(self) -> int:
        """Return the time."""
        return int(self._clock.now_ms())

    def expiring_certificates(self, days: int) -> list[dict[str, object]]:
        """Return their files, and when they expire."""
        if self.certificates is None:
            return []
        until = datetime.fromtimestamp(self.now_ms() / 1000, UTC) + timedelta(days=days)
        return [
            {"node": self.name, "certfile": str(path), "expires_on": end.isoformat()}
            for path, end in self.certificates.expiring(until)
        ]


class NodeMender(Mender):
    """Repairs the data directory as `supersoniq repair` does."""

    def __init__(self, disk: SystemDisk) -> None:
        self._disk = disk

    def mend(self) -> None:
        """Do it, and say what was done."""
        # Only needed after damage: the tools are not loaded with every start.
        from supersoniq.storage.tools.repair import Repair

        repair = Repair(self._disk)
        left = repair.run()
        for line in repair.done:
            logger.warning("repaired: %s", line)
        for problem in left:
            if problem.is_damage:
                logger.error("not repaired: %s", problem)


class TurnBystander(Bystander):
    """Counts the turns between a commit on the loop and the loop's next round."""

    def __init__(self, direct: Direct, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self._direct = direct
        self._server = server
        self._loop = loop
        self._turns = 0

    def watch(self) -> None:
        """Look again when all sockets that are ready now have had their turn."""
        self._turns = self._server.turn_count
        self._loop.call_soon(self._look)

    def _look(self) -> None:
        self._direct.watched(self._server.turn_count - self._turns > 0)


class NodeStorage(Storage):
    """The store, as the server sees it."""

    def __init__(self, store: DiskStore) -> None:
        self._store = store

    def trouble(self) -> str:
        """Return what the store says."""
        return self._store.trouble()

    def backlog_bytes(self) -> int:
        """Return what the store says."""
        return self._store.backlog_bytes()

    def tick(self) -> None:
        """Let the store work."""
        self._store.tick(resident_bytes() or UNKNOWN_BYTES)


class NodeMemory(Memory):
    """The memory of this process, and the messages of one node."""

    def __init__(self, vhosts: dict[str, VHost], buffered: Buffered, store: DiskStore | None) -> None:
        self._vhosts = vhosts
        self._buffered = buffered
        self._store = store

    def used_bytes(self) -> int:
        """Return what the process occupies."""
        return resident_bytes()

    def message_bytes(self) -> int:
        """Return about what messages occupy: in virtual hosts, sessions, and on their way to the disk."""
        stored = 0 if self._store is None else self._store.backlog_bytes()
        in_queues = sum(vhost.memory_bytes() for vhost in self._vhosts.values())
        return self._buffered.body_bytes + in_queues + stored

    def release(self) -> None:
        """Give free memory back to the system."""
        release_free_bytes()
