"""What many views have in common: times, arguments, and who is at the other end of a connection."""

from datetime import UTC, datetime

from supersoniq.amqp.tables import Table, plain
from supersoniq.session.client import Client

Fields = dict[str, object]

# What Erlang's processes have and nothing here does; tools read past it.
GARBAGE_COLLECTION: Fields = {
    "fullsweep_after": 0,
    "max_heap_size": 0,
    "min_bin_vheap_size": 0,
    "min_heap_size": 0,
    "minor_gcs": 0,
}
PROCESS: Fields = {
    "garbage_collection": GARBAGE_COLLECTION,
    "reductions": 0,
    "reductions_details": {"rate": 0.0},
}


def iso_time(at_ms: int) -> str:
    """Return a time as RabbitMQ writes it: `2026-11-27T03:38:46.849+00:00`."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def idle_view(since_ms: int) -> Fields:
    """Return since when nothing has happened; there is no such field while something does."""
    return {"idle_since": iso_time(since_ms)} if since_ms else {}


def arguments_view(arguments: Table) -> Fields:
    """Return arguments as JSON."""
    return plain(arguments) if arguments else {}


def connection_details(client: Client) -> Fields:
    """Return what says which connection it is."""
    return {"name": client.path, "peer_host": client.peer_host, "peer_port": client.peer_port}
