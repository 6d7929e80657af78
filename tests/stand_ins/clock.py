"""A clock that stands still until it is told."""

from datetime import UTC, datetime, timedelta

from storage.clock import Clock


class SetClock(Clock):
    """Begins on a Tuesday at ten in Japan, when the desk is open."""

    def __init__(self, begins: datetime = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)) -> None:
        self._now = begins.astimezone(UTC)

    def now(self) -> datetime:
        """The instant it was set to."""
        return self._now

    def forward(self, **by: float) -> None:
        """Moves on: `forward(minutes=31)`."""
        self._now += timedelta(**by)
