"""Failed logins by address: how long the answer to the next one is to be kept back."""

import ipaddress
from itertools import islice
from typing import Final

FREE_MAX: Final = 5
FIRST_DELAY_SECONDS: Final = 0.25
DELAY_SECONDS_MAX: Final = 5.0
FORGOTTEN_SECONDS: Final = 300.0
ADDRESSES_MAX: Final = 10_000


class Failures:
    """Counts failed logins of addresses, for a while. Times are seconds of one clock."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, float]] = {}  # count and when, the latest last

    def __len__(self) -> int:
        return len(self._found)

    def failed(self, host: str, now: float) -> float:
        """Count one more; returns for how many seconds its answer is to be kept back."""
        key = network_of(host)
        count, when = self._found.pop(key, (0, now))
        if now - when > FORGOTTEN_SECONDS:
            count = 0
        self._found[key] = (count + 1, now)
        self._forget(now)
        if count < FREE_MAX:
            return 0.0
        doublings = min(count - FREE_MAX, 16)
        return min(FIRST_DELAY_SECONDS * (1 << doublings), DELAY_SECONDS_MAX)

    def _forget(self, now: float) -> None:
        """Forget what is long ago, and the oldest when there are too many."""
        for key, (_, when) in list(islice(self._found.items(), 2)):
            if len(self._found) > ADDRESSES_MAX or now - when > FORGOTTEN_SECONDS:
                del self._found[key]


def network_of(host: str) -> str:
    """Return what stands for the one who is behind an address: of IPv6 the network."""
    if ":" not in host:
        return host
    try:
        address = ipaddress.IPv6Address(host.partition("%")[0])
    except ValueError:
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return address.exploded[:19]
