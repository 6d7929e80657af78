"""`uketome run` and `uketome serve`: starts the service, says where it is, and stops all of it cleanly."""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import AsyncIterator

import uvicorn
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from uvicorn.loops.auto import auto_loop_factory

from bot.understanding import Understander
from handoff import access
from storage import logs, schema
from storage.clock import Clock
from storage.database import Database
from storage.models import Staff
from storage.settings import Settings, SettingsError
from uketome.app import Service, create_app
from uketome.rasa_process import RasaProcess
from uketome.server import Server

#: How long open long polls and streams may take to end.
GRACE_S = 3
BACKLOG = 2048


def run(settings: Settings, *, with_rasa: bool) -> int:
    """Runs until Ctrl-C or SIGTERM. Raises SettingsError, SchemaError or ModelError when it cannot start."""
    logs.set_up()
    listening = _listen(settings)
    reader = Understander.load(settings.embedding_model)
    service = Service(settings, reader, Clock())
    schema.upgrade(service.database)
    # What is loaded stays for good: looking through it at every collection would stop all turns for a while.
    gc.freeze()
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(_serve(service, listening, with_rasa=with_rasa and settings.rasa_url is None))
    return 0


def _listen(settings: Settings) -> socket.socket:
    # Bound before anything else is loaded: a port in use is told at once, and early callers wait instead of failing.
    listening = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise SettingsError(
            f"Port {settings.port} on {settings.host} cannot be used ({error.strerror}): "
            "stop what uses it, or set UKETOME_HOST and UKETOME_PORT to a place that is free."
        ) from None
    return listening


async def _serve(service: Service, listening: socket.socket, *, with_rasa: bool) -> None:
    config = uvicorn.Config(
        create_app(service), log_config=None, access_log=False, timeout_graceful_shutdown=GRACE_S, server_header=False,
        backlog=BACKLOG,
    )  # fmt: skip
    server = Server(config, service.bells)
    # uvicorn raises the signal that ended it once more, after its own clean end: ours is still to come.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: None)
    async with _rasa(service, with_rasa):
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        if server.started:
            await asyncio.to_thread(_say_ready, service.settings, service.database)
        await serving


@contextlib.asynccontextmanager
async def _rasa(service: Service, wanted: bool) -> AsyncIterator[None]:
    if not wanted:
        yield
        return
    process = RasaProcess(service.settings, service.rasa)
    watching = asyncio.create_task(process.watch())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await process.stop()


def _say_ready(settings: Settings, database: Database) -> None:
    address = settings.address
    places = f"ready  相談のページ {address}/  相談員の画面 {address}/staff"
    if settings.line_on:
        places += f"  LINE {address}/line/webhook"
    print(places, flush=True)
    token = database.write_now(_first_invitation)
    if token:
        print(f"最初の管理者を作るリンク（一度だけ使えます）: {address}/staff/invite/{token}", flush=True)


def _first_invitation(session: Session) -> str | None:
    if session.scalar(select(func.count()).select_from(Staff)):
        return None
    return access.invite(session, "admin", Clock().now())
