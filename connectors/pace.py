"""How often somebody may do something: a sliding window in memory, bounded in size."""

from collections import OrderedDict, deque
from datetime import datetime
from ipaddress import IPv6Address, ip_address
from math import ceil


class Pace:
    """At most `most` times in `seconds` for each key; forgets the keys that were quiet longest."""

    def __init__(self, most: int, seconds: float = 60, keys: int = 10_000) -> None:
        self._most, self._seconds, self._keys = most, seconds, keys
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, key: str, now: datetime) -> int:
        """Counts one more and returns 0, or returns the whole seconds until the next one is free."""
        moment = now.timestamp()
        times = self._times.setdefault(key, deque(maxlen=self._most))
        self._times.move_to_end(key)
        if len(self._times) > self._keys:
            self._times.popitem(last=False)
        if len(times) == self._most and times[0] > moment - self._seconds:
            return max(1, ceil(times[0] + self._seconds - moment))
        times.append(moment)
        return 0


def household(host: str) -> str:
    """The key of a client's address. Whoever has one IPv6 address has 2^64 of them: they count as one."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(int(address) >> 64) if isinstance(address, IPv6Address) else host
