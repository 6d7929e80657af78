"""Bells: who waits for something is woken when it happened, in this process and, with Redis, in the others.

A bell carries no message. Whoever is woken looks into the database, which alone is the truth; so a bell that is lost
costs a second (the waiters look by themselves now and then) and never a message.
"""

import asyncio
import contextlib
from collections import defaultdict

import structlog
from redis import asyncio as redis_client
from redis.exceptions import RedisError

INBOX = "inbox"
OUTBOX = "outbox"
QUEUE = "queue"
CHANNEL = "uketome:bells"

log = structlog.get_logger()


def talk(conversation_id: str) -> str:
    """The bell of one conversation: a message was added or taken back."""
    return f"talk:{conversation_id}"


async def in_time(rung: asyncio.Event, seconds: float) -> bool:
    """Waits until it rang or the seconds are over; whether it rang.

    Not by `asyncio.wait_for`: Python 3.11's forgets that it was cancelled when the bell rings in the same moment, and
    a loop that forgets to end holds up the end of the service for ever.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await rung.wait()
    return rung.is_set()


class Bells:
    """Named bells. `ring` after the commit; `wait` returns whether it rang in time."""

    def __init__(self, redis_url: str | None = None) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._redis = redis_client.from_url(redis_url) if redis_url else None
        self._afar: set[asyncio.Task[None]] = set()
        #: Whether the service is stopping.
        self.over = False

    def ring(self, *names: str) -> None:
        """Wakes everyone who waits for one of the names."""
        self._ring_here(*names)
        if self._redis:
            task = asyncio.ensure_future(self._ring_afar(names))
            self._afar.add(task)
            task.add_done_callback(self._afar.discard)

    def ring_out(self) -> None:
        """Wakes everyone, for the end: from now on nobody waits."""
        self.over = True
        self._ring_here(*list(self._waiting))

    async def wait(self, name: str, seconds: float) -> bool:
        """Waits until the bell rings or the seconds are over."""
        with self.listening(name) as rung:
            return await in_time(rung, seconds)

    @contextlib.contextmanager
    def listening(self, name: str):  # type: ignore[no-untyped-def]
        """An event that is set when the bell rings. Listen first, then look, then wait: nothing falls in between."""
        rung = asyncio.Event()
        self._waiting[name].add(rung)
        try:
            yield rung
        finally:
            self._waiting[name].discard(rung)
            if not self._waiting[name]:
                del self._waiting[name]

    async def hear_afar(self) -> None:
        """Runs for ever: rings here what other processes ring. Without Redis there is nothing to hear."""
        while self._redis:
            try:
                async with self._redis.pubsub() as heard:
                    await heard.subscribe(CHANNEL)
                    async for message in heard.listen():
                        if message["type"] == "message":
                            self._ring_here(*message["data"].decode().split(" "))
            except (RedisError, OSError) as error:
                log.warning("bells.redis_away", error=type(error).__name__)
                await asyncio.sleep(1)

    async def close(self) -> None:
        """Lets go of Redis."""
        if self._redis:
            await self._redis.aclose()

    def _ring_here(self, *names: str) -> None:
        for name in names:
            for rung in self._waiting.get(name, ()):
                rung.set()

    async def _ring_afar(self, names: tuple[str, ...]) -> None:
        if self._redis:
            with contextlib.suppress(RedisError, OSError):  # the others look by themselves
                await self._redis.publish(CHANNEL, " ".join(names))
