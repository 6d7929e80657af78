"""Tries that are counted, so that nobody guesses a password, a code or a token."""

from collections import defaultdict, deque
from datetime import datetime, timedelta

TRIES_COUNT_FOR = timedelta(minutes=15)


class Tries:
    """Counts tries by key within a sliding window; the count is this process's own."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._tries: defaultdict[str, deque[datetime]] = defaultdict(deque)

    def count(self, now: datetime, *keys: str) -> int:
        """Counts one try for each key. 0 when all may go on, else the seconds until they may (and none is counted)."""
        if seconds := self.full(now, *keys):
            return seconds
        for key in keys:
            self._tries[key].append(now)
        return 0

    def full(self, now: datetime, *keys: str) -> int:
        """The seconds until all may go on; 0 when they may now."""
        self._forget(now)
        full = [self._tries[key][0] for key in keys if len(self._tries.get(key, ())) >= self._most]
        return max(1, int((max(full) + TRIES_COUNT_FOR - now).total_seconds())) if full else 0

    def succeeded(self, *keys: str) -> None:
        """A right password was no try at guessing."""
        for key in keys:
            self._tries.pop(key, None)

    def _forget(self, now: datetime) -> None:
        for key in list(self._tries):
            tries = self._tries[key]
            while tries and tries[0] <= now - TRIES_COUNT_FOR:
                tries.popleft()
            if not tries:
                del self._tries[key]
