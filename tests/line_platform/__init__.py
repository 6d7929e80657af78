"""A stand-in of the LINE platform: a real HTTP server that enforces LINE's limits, for tests, bench and `make demo`."""

from tests.line_platform.platform import CHANNEL_SECRET, CHANNEL_TOKEN, LinePlatform, settings
from tests.line_platform.webhooks import Webhook

__all__ = ["CHANNEL_SECRET", "CHANNEL_TOKEN", "LinePlatform", "Webhook", "settings"]
