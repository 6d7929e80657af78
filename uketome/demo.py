"""`make demo`: the product with LINE pointed at a stand-in of LINE, and a phone in the browser to write on."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from storage.settings import ROOT, Settings, SettingsError
from tests.line_platform import CHANNEL_SECRET, CHANNEL_TOKEN, LinePlatform

PHONE_PORT = 8010
PHONE = f"http://localhost:{PHONE_PORT}/"


def main() -> int:
    """Runs until Ctrl-C, or until the service ends; its exit status."""
    try:
        # A town's own LINE, if one is set, is not used here.
        return asyncio.run(_demo(Settings.read(line_channel_secret=None, line_channel_access_token=None)))
    except SettingsError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2


async def _demo(settings: Settings) -> int:
    line = LinePlatform(f"http://127.0.0.1:{settings.port}/line/webhook", quota=None, port=PHONE_PORT)
    try:
        await line.start()
    except OSError as error:
        why = os.strerror(error.errno or 0)
        print(f"demo: port {PHONE_PORT} cannot be used ({why}): stop what uses it.", file=sys.stderr)
        return 2
    try:
        return await _serve(line)
    finally:
        await line.stop()


async def _serve(line: LinePlatform) -> int:
    service = await asyncio.create_subprocess_exec(
        Path(sys.executable).parent / "uketome", "run", env=_environment(line.base_url), cwd=ROOT
    )
    # The terminal's Ctrl-C reaches the service too; SIGTERM reaches only us and is passed on.
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    loop.add_signal_handler(signal.SIGTERM, service.terminate)
    print(f"LINEのかわりの電話  {PHONE}", flush=True)
    return await service.wait()


def _environment(line_api_base: str) -> dict[str, str]:
    return {
        # A database of its own, so that made-up residents never stand in a real queue.
        "UKETOME_DATABASE_URL": f"sqlite:///{ROOT / 'var' / 'demo.db'}",
        **os.environ,
        "UKETOME_LINE_CHANNEL_SECRET": CHANNEL_SECRET,
        "UKETOME_LINE_CHANNEL_ACCESS_TOKEN": CHANNEL_TOKEN,
        "UKETOME_LINE_API_BASE": line_api_base,
    }


if __name__ == "__main__":
    sys.exit(main())
