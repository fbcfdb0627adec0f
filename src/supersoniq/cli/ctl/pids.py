"""Names of connections and channels in the form of Erlang's pids, which is how rabbitmqctl names them.

A pid is made of the name alone, so whoever has read one from a listing can close that connection.
"""

from zlib import crc32

from supersoniq.cli.ctl.terms import Term


class Pid(Term):
    """`<rabbit@host.1.42.0>` in tables."""


def pid_of(node: str, name: str) -> Pid:
    """The pid of the connection, channel or queue of that name."""
    return Pid(f"<{node}.1.{crc32(name.encode())}.0>")


def number_of(pid: str) -> int:
    """The part of a pid that tells which one it is; 0 when it is no pid."""
    parts = pid.strip("<>").rsplit(".", 2)
    return int(parts[1]) if len(parts) == 3 and parts[1].isdigit() else 0


def matches(pid: str, name: str) -> bool:
    """True when the pid is that of the connection of that name."""
    return number_of(pid) == crc32(name.encode())
