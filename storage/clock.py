"""The clock: the only place that asks what time it is, so that tests can set it."""

from datetime import UTC, datetime, timedelta, timezone

JAPAN = timezone(timedelta(hours=9), "JST")


class Clock:
    """The real clock. Tests use one of their own with the same method."""

    def now(self) -> datetime:
        """The present instant, with its zone (UTC)."""
        return datetime.now(UTC)
