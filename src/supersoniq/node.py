"""Puts one broker together; the only module that knows every part."""

import asyncio
import contextlib
import logging
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from supersoniq.amqp.tables import encode_table, table_of
from supersoniq.assembly.adapters import ClockedFacts, NodeMemory, NodeMender, NodeStorage, TurnBystander
from supersoniq.assembly.api import open_api, open_prometheus
from supersoniq.assembly.auditing import open_audit
from supersoniq.assembly.controlled import ControlledNode
from supersoniq.assembly.controlling import RunningControl
from supersoniq.assembly.first_definitions import furnish
from supersoniq.assembly.identity import facts_of, node_name, server_properties
from supersoniq.audit.log import AuditLog
from supersoniq.auth.permissions import Permissions
from supersoniq.auth.users import Users
from supersoniq.broker.counters import IOCounters
from supersoniq.broker.event_exchange import EVENT_EXCHANGE, EventExchange
from supersoniq.broker.events import Audience
from supersoniq.broker.store import Store
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost
from supersoniq.config import ConfigError, Settings
from supersoniq.control.administration import Administration
from supersoniq.control.parameters import CLUSTER_ID
from supersoniq.management.context import ManagementContext
from supersoniq.management.serving import Serving
from supersoniq.metrics.metering import Metering
from supersoniq.metrics.of_node import NodeLimits
from supersoniq.metrics.sources import Facts
from supersoniq.server.alarms import Alarms, Watch
from supersoniq.server.clock import LoopClock
from supersoniq.server.disk_watch import DiskWatch, SystemFreeSpace
from supersoniq.server.logins import PasswordLogins
from supersoniq.server.memory import available_bytes
from supersoniq.server.memory_watch import MemoryWatch
from supersoniq.server.names import RandomNames
from supersoniq.server.permission_changes import PermissionChanges
from supersoniq.server.proxy_gate import Network
from supersoniq.server.server import Server
from supersoniq.server.store_watch import BacklogWatch, Storage, TroubleWatch
from supersoniq.session.context import Context, Limits
from supersoniq.session.heartbeats import TICKS_PER_SECOND
from supersoniq.session.mechanisms import CertificateNames
from supersoniq.settings.values import memory_bytes, size_bytes
from supersoniq.storage.commit import SYNC_ALWAYS, SYNC_INTERVAL, SYNC_NEVER
from supersoniq.storage.directory import open_directory
from supersoniq.storage.disk import SystemDisk
from supersoniq.storage.lock import DirectoryLock
from supersoniq.storage.marks import MappedMarks
from supersoniq.storage.memory import MemoryStore
from supersoniq.storage.recovery import NewVHost, Recovery, Report
from supersoniq.storage.store import DiskStore, StoreOptions
from supersoniq.storage.worker import ThreadWorker

if TYPE_CHECKING:
    from supersoniq.assembly.tls import NodeTLS
    from supersoniq.management.serving import Serving

logger = logging.getLogger(__name__)


class RecoveryError(Exception):
    """The data directory cannot be read; the text is one line for the operator."""


SYNC_POLICIES = {"always": SYNC_ALWAYS, "interval": SYNC_INTERVAL, "never": SYNC_NEVER}


class Node:
    """One broker on the running event loop: `start`, then `stop`.

    `addresses` are known once it has started.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.tls = _new_tls(settings)
        self._clock = LoopClock()
        self._turn = Turn(self._clock)
        self._names = RandomNames()
        self._users = Users()
        self._logins = PasswordLogins(self._users, frozenset(settings.loopback_users))
        self.events = Audience()
        self._lock: DirectoryLock | None = None
        self._store: Store = MemoryStore()
        self._disk_store: DiskStore | None = None
        self._system_disk: SystemDisk | None = None
        if settings.data_dir is not None:
            self._store = self._disk_store = self._new_disk_store(settings.data_dir)
        self._incarnation = f"{node_name()}.{self._clock.now_ms() // 1000}"
        self.vhosts: dict[str, VHost] = {}
        self.events.listeners.append(EventExchange(self.vhosts, settings.event_vhost, self._turn))
        self.context = self._new_context()
        self._controlled = ControlledNode(
            self.make_vhost, self.make_stage, settings.default_queue_type, self._tell_cluster_name
        )
        self._controlled.gone_vhosts = self.context.counters.gone_vhosts
        self.administration = Administration(
            self.vhosts,
            self._users,
            self.context.permissions,
            self.context.user_limits,
            self._store,
            self.events,
            self._controlled,
        )
        self.report: Report | None = None  # what was recovered
        self._audit: AuditLog | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: Server | None = None
        self.management: ManagementContext | None = None
        self._serving: Serving | None = None
        self._memory_watch: MemoryWatch | None = None
        self._disk_watch: DiskWatch | None = None
        self.control: RunningControl | None = None  # once it has started
        self.metering: Metering | None = None
        self._prometheus: Serving | None = None
        self._interval: asyncio.TimerHandle | None = None

    def make_vhost(self, name: str) -> VHost:
        """Return a new virtual host with its predeclared exchanges."""
        vhost = VHost(name, self._turn, self._store, self._names)
        vhost.default_queue_type = self._settings.default_queue_type.encode()
        vhost.announcer.events = self.events
        vhost.announcer.incarnation = self._incarnation
        vhost.tracing.node = node_name()
        if name == self._settings.event_vhost:
            vhost.predeclare(EVENT_EXCHANGE, "topic", True)
        vhost.router.unroutable = self._settings.unroutable_queue.encode()
        return vhost

    def make_stage(self, name: str) -> VHost:
        """Return a new virtual host for rehearsals: nothing that it does is seen or kept."""
        return VHost(name, Turn(), MemoryStore(), self._names)

    def _new_disk_store(self, directory: Path) -> DiskStore:
        settings = self._settings
        options = StoreOptions(
            sync=SYNC_POLICIES[settings.sync],
            journal_file_bytes=settings.journal_file_bytes,
            queue_memory_bytes=size_bytes(settings.queue_memory),
            memory_bytes=_messages_bytes_max(settings),
        )
        self._lock = open_directory(directory)
        self._system_disk = SystemDisk(directory)
        return DiskStore(
            self._system_disk,
            self._turn,
            ThreadWorker("supersoniq-commit", self._notify),
            ThreadWorker("supersoniq-background", self._notify),
            MappedMarks(directory / "marks"),
            options,
        )

    def _notify(self) -> None:
        """Have the loop look at what a thread has done; called in that thread."""
        loop = self._loop
        if loop is not None:
            # The loop may be gone when the node stops.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._look)

    def _look(self) -> None:
        if self._disk_store is not None:
            had_trouble = self._disk_store.trouble()
            self._disk_store.look()  # always: a worker that is not heard tells nothing more
            if self._server is None:
                return
            if had_trouble != self._disk_store.trouble():
                self._server.check_alarms()
            self._server.end_turn()

    def _new_context(self) -> Context:
        settings = self._settings
        limits = Limits(
            channel_max=settings.channel_max,
            frame_max_bytes=settings.frame_max_bytes,
            heartbeat_seconds=settings.heartbeat_seconds,
            message_bytes_max=settings.message_bytes_max,
            handshake_ticks=max(1, settings.handshake_timeout_ms * TICKS_PER_SECOND // 1000),
            consumer_timeout_ms=settings.consumer_timeout_ms,
        )
        context = Context(
            self._turn,
            self.vhosts,
            self._users,
            Permissions(),
            self._logins,
            self._names,
            limits,
            encode_table(table_of(server_properties(settings.cluster_name))),
        )
        context.certificate_names = CertificateNames(
            settings.ssl_cert_login_from, settings.ssl_cert_login_san_type, settings.ssl_cert_login_san_index
        )
        context.permissions.affected = PermissionChanges(context)
        context.events = self.events
        context.node_name = node_name()
        context.incarnation = self._incarnation
        return context

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """The host and port of each listener."""
        return [] if self._server is None else self._server.addresses

    @property
    def tls_addresses(self) -> list[tuple[str, int]]:
        """The host and port of each listener with TLS."""
        return [] if self._server is None else self._server.tls_addresses

    async def start(self) -> None:
        """Recover what is in the data directory, then listen.

        Raises RecoveryError if the directory cannot be read, ConfigError if the definitions cannot be loaded,
        OSError if an address cannot be had.
        """
        self._loop = asyncio.get_running_loop()
        settings = self._settings
        try:
            self._audit = open_audit(settings, self._clock.now_ms)
            if self._audit is not None:
                self._audit.start()
                self.events.listeners.append(self._audit)
            self._recover()
            self.administration.recall()
            furnish(settings, self.administration)
            alarms = Alarms(self.context.alarm, self._watches(), self.events, node_name())
            server = Server(self.context, alarms, self._storage(), _networks(settings))
            self.metering = self._new_metering(server)
            self.management = self._new_management(server, self.metering)
            certificates = None if self.tls is None else self.tls.certificates
            self._serving = await open_api(settings, self.management, certificates)
            self._prometheus = await open_prometheus(
                settings, self.metering.app, self.management.facts, certificates
            )
            self._logins.start(self._loop, server.end_turn)
            if settings.amqp == "on":
                await server.listen(settings.host, settings.port)
            if self.tls is not None:
                hosts = settings.tls_host or settings.host
                await server.listen_with_tls(hosts, settings.tls_port, self.tls.certificates)
                self.tls.start(self._loop)
            self._serving.start()
            self._prometheus.start()
            self.metering.start()
        except BaseException:
            self._close()
            raise
        self._server = self._controlled.server = server
        self._clock.start(self._loop, self._ring)
        if self._disk_store is not None:
            direct = self._disk_store.journal.direct
            direct.bystander = TurnBystander(direct, server, self._loop)

        if settings.sync == "interval":
            self._sync_at_intervals()
        server.end_turn()  # what was loaded goes to the disk

    def _new_management(self, server: Server, metering: Metering) -> ManagementContext:
        facts = ClockedFacts(self._clock, self._settings.data_dir)
        facts.addresses["amqp"] = server.addresses
        facts.addresses["amqp/ssl"] = server.tls_addresses
        facts.certificates = None if self.tls is None else self.tls.certificates
        management = ManagementContext(
            self.context, server, facts, self._logins, self.administration, metering.sampler
        )
        management.control = self.control
        return management

    def _new_metering(self, server: Server) -> Metering:
        settings = self._settings
        limits = NodeLimits(
            memory_bytes(settings.memory_limit, available_bytes()),
            size_bytes(settings.disk_free_limit),
            settings.data_dir,
        )
        assert self._memory_watch is not None
        self.control = RunningControl(self._memory_watch, self._disk_watch, limits, server)
        io = IOCounters() if self._system_disk is None else self._system_disk.counters
        return Metering(self.context, server, limits, io, self._facts, settings.loop_stall_ms / 1000)

    def _facts(self) -> Facts:
        cluster_id = self.administration.global_parameters.get(CLUSTER_ID, "")
        return facts_of(self.cluster_name, str(cluster_id), int(self._turn.marks.started_ms))

    @property
    def management_addresses(self) -> list[tuple[str, int]]:
        """The host and port of each listener of the management API."""
        return [] if self._serving is None else self._serving.addresses

    @property
    def management_tls_addresses(self) -> list[tuple[str, int]]:
        """The host and port of each listener of the management API with TLS."""
        return [] if self._serving is None else self._serving.tls_addresses

    @property
    def prometheus_addresses(self) -> list[tuple[str, int]]:
        """The host and port of each listener for Prometheus."""
        return [] if self._prometheus is None else self._prometheus.addresses

    @property
    def prometheus_tls_addresses(self) -> list[tuple[str, int]]:
        """The host and port of each listener for Prometheus with TLS."""
        return [] if self._prometheus is None else self._prometheus.tls_addresses

    def _servings(self) -> list[Serving]:
        return [serving for serving in (self._serving, self._prometheus) if serving is not None]

    def _ring(self) -> None:
        """Do what is due now."""
        self._turn.timers.run()
        if self._server is not None:
            self._server.end_turn()

    def _sync_at_intervals(self) -> None:
        if self._loop is not None and self._disk_store is not None:
            self._disk_store.sync()
            seconds = self._settings.sync_interval_ms / 1000
            self._interval = self._loop.call_later(seconds, self._sync_at_intervals)

    def _recover(self) -> None:
        if self._disk_store is None or self._system_disk is None:
            return
        recovery = Recovery(self._system_disk, self._disk_store, self.vhosts, NodeMender(self._system_disk))
        try:
            self.report = recovery.run(_VHostMaker(self))
        except OSError as error:
            raise RecoveryError(
                f"data directory {self._settings.data_dir} cannot be used: {error.strerror or error}"
            ) from error

    @property
    def cluster_name(self) -> str:
        """What the cluster is called: what operators say, or the node's own name."""
        return self.administration.cluster_name or self._settings.cluster_name or node_name()

    def _tell_cluster_name(self, name: str) -> None:
        properties = server_properties(name or self._settings.cluster_name)
        self.context.server_properties = encode_table(table_of(properties))

    def _watches(self) -> list[Watch]:
        settings = self._settings
        memory = NodeMemory(self.vhosts, self.context.buffered, self._disk_store)
        limit_bytes = memory_bytes(settings.memory_limit, available_bytes())
        self._memory_watch = MemoryWatch(limit_bytes, memory)
        watches: list[Watch] = [self._memory_watch]
        if settings.data_dir is not None:
            limit_bytes = size_bytes(settings.disk_free_limit)
            self._disk_watch = DiskWatch(limit_bytes, settings.data_dir, SystemFreeSpace())
            watches.append(self._disk_watch)
        storage = self._storage()
        if storage is not None:
            watches += [TroubleWatch(storage), BacklogWatch(storage)]
        return watches

    def _storage(self) -> Storage | None:
        return None if self._disk_store is None else NodeStorage(self._disk_store)

    async def stop(self, grace_seconds: float) -> None:
        """Close the clients and forget everything."""
        for serving in self._servings():
            await serving.stop(grace_seconds)
        if self.management is not None:
            await self.management.jobs.stop()
        if self._server is not None:
            await self._server.stop(grace_seconds)
        self._close()

    def reload(self) -> None:
        """Read the certificates anew, and go on in a new audit log if it was moved away; connections stay."""
        if self._audit is not None:
            self._audit.reopen()
        if self.tls is not None:
            self.tls.reload()

    def _close(self) -> None:
        self._clock.stop()
        if self._audit is not None:
            self._audit.stop()
        if self.tls is not None:
            self.tls.stop()
        for serving in self._servings():
            serving.close()
        self._logins.stop()
        if self.metering is not None:
            self.metering.stop()
        if self._interval is not None:
            self._interval.cancel()
        if self._disk_store is not None:
            self._disk_store.stop()
        for vhost in self.vhosts.values():
            vhost.close()
        if self._system_disk is not None:
            self._system_disk.close()
        if self._lock is not None:
            self._lock.release()


def _networks(settings: Settings) -> list[Network]:
    return [ip_network(network) for network in settings.proxy_protocol]


def _new_tls(settings: Settings) -> "NodeTLS | None":
    if settings.tls_certificate is None:
        if settings.amqp == "off":
            raise ConfigError("amqp = off: expected tls_certificate, or nobody could connect")
        return None
    # What reads certificates is not loaded where there are none.
    from supersoniq.assembly.tls import NodeTLS

    return NodeTLS(settings)


def _messages_bytes_max(settings: Settings) -> int:
    """Return what messages may occupy in memory before queues page out more: a quarter of the limit."""
    available = available_bytes()
    limit = memory_bytes(settings.memory_limit, available)
    return (limit or available) // 4


class _VHostMaker(NewVHost):
    """Makes virtual hosts of a node."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def make(self, name: str) -> VHost:
        """Return a new one."""
        return self._node.make_vhost(name)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return uvloop's event loop, or asyncio's own where uvloop is not installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
