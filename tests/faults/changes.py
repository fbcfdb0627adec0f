"""Changes that operators make, one after the other, drawn from a seed; a process that makes them.

`python -m tests.faults.changes DIRECTORY SEED FROM` makes those from a number on, and says the number of each
once it is safe.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

from supersoniq.auth.passwords import PasswordHash
from supersoniq.control.actor import Actor
from supersoniq.control.administration import Administration
from supersoniq.embedded import Broker

Change = Callable[[Administration], int]

OPERATOR = Actor("operator", "127.0.0.1:1")
USERS = ["ann", "bob", "carl"]
VHOSTS = ["a", "b"]


def change_of(administration: Administration, random: Random) -> int:
    """Make one change that is possible; returns its sequence."""
    user, vhost, number = random.choice(USERS), random.choice(VHOSTS), random.randrange(1, 9)
    has_user, has_vhost = user in administration.users, vhost in administration.vhosts
    style = random.randrange(12)
    if not has_user or style == 0:
        password = PasswordHash("rabbit_password_hashing_sha256", f"{number}" * 8)
        return administration.put_user(user, password, frozenset({f"tag-{number}"}), OPERATOR)
    if not has_vhost or style == 1:
        return administration.put_vhost(vhost, f"number {number}", [], "", False, OPERATOR)
    if style == 2:
        return administration.delete_user(user, OPERATOR)
    if style == 3:
        return administration.delete_vhost(vhost, OPERATOR)
    if style < 6:
        return administration.put_permission(user, vhost, f"^{number}", ".*", "", OPERATOR)
    if style == 6:
        return administration.put_topic_permission(user, vhost, f"e{number}", "a", "b", OPERATOR)
    if style == 7:
        return administration.clear_topic_permission(user, vhost, None, OPERATOR)
    if style < 10:
        definition = {"max-length": number}
        return administration.put_policy(
            vhost, f"p{number}", "", "all", number, definition, style == 8, OPERATOR
        )
    if style == 10:
        return administration.put_vhost_limits(vhost, {"max-queues": number}, OPERATOR)
    return administration.put_global_parameter("cluster_name", f"name {number}", OPERATOR)


def make(administration: Administration, seed: int, number: int) -> int:
    """Make the change of a number, which depends on what is there."""
    return change_of(administration, Random(f"{seed}/{number}"))


async def _go_on(directory: Path, seed: int, number: int) -> None:
    async with Broker(data_dir=directory, journal_file_bytes=65536) as broker:
        administration = broker.node.administration
        while True:
            number += 1
            await administration.durable(make(administration, seed, number))
            print(number, flush=True)


if __name__ == "__main__":
    asyncio.run(_go_on(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
