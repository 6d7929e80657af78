"""Starts the dialogue server, with the Python of Rasa's environment: `RASA_TOKEN=… python bot/rasa/serve.py`.

Loopback only, quiet (no telemetry, no access log, warnings and errors without residents' words), stops on SIGTERM.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent
VAR = PROJECT.parents[1] / "var" / "rasa"


def main() -> None:
    """Serves until SIGTERM or Ctrl-C."""
    wanted = parse_arguments()
    if not os.environ.get("RASA_TOKEN"):
        sys.exit("RASA_TOKEN must be set: the dialogue server answers only to its bearer.")
    if not wanted.model.is_file():
        sys.exit(f"There is no model at {wanted.model}; bot/rasa/train.py makes it.")
    set_environment()
    serve(wanted)


def parse_arguments() -> argparse.Namespace:
    """Where to listen and which model to load."""
    parser = argparse.ArgumentParser(description="Serves the dialogue model on loopback.")
    parser.add_argument("--port", type=int, default=5005)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--model", type=Path, default=VAR / "model.tar.gz")
    parser.add_argument("--endpoints", type=Path, default=PROJECT / "endpoints.yml")
    return parser.parse_args()


def set_environment() -> None:
    """What Rasa reads from its environment. Set before it is imported."""
    os.environ.setdefault("RASA_TRACKER_URL", f"sqlite:///{VAR / 'conversations.db'}")
    os.environ.setdefault("MPLCONFIGDIR", tempfile.gettempdir())
    os.environ.update(
        RASA_TELEMETRY_ENABLED="false",
        TF_CPP_MIN_LOG_LEVEL="3",
        LOG_LEVEL="WARNING",
        LOG_LEVEL_LIBRARIES="ERROR",
        SQLALCHEMY_SILENCE_UBER_WARNING="1",
    )
    # Rasa's old libraries warn about themselves at every start; filters do not help, because Rasa resets them.
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").setLevel(logging.ERROR)
    sys.path.insert(0, str(PROJECT))


def quiet_logs() -> None:
    """Warnings and errors only. Without this, structlog prints Rasa's debug events, and they hold residents' words."""
    import rasa.utils.common
    from rasa.utils.log_utils import configure_structlog

    rasa.utils.common.configure_logging_and_warnings(filter_repeated_logs=False)
    configure_structlog(logging.WARNING)


def serve(wanted: argparse.Namespace) -> None:
    """Rasa's own start, without its command line (which costs a second of imports)."""
    quiet_logs()
    import rasa.core.run
    from rasa.core.utils import AvailableEndpoints

    gc.freeze()  # a million objects of imported libraries need not be looked through again at each collection
    rasa.core.run.serve_application(
        str(wanted.model),
        interface=wanted.host,
        port=wanted.port,
        credentials=str(PROJECT / "credentials.yml"),
        endpoints=AvailableEndpoints.read_endpoints(str(wanted.endpoints)),
        enable_api=False,
    )


if __name__ == "__main__":
    main()
