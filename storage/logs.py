"""Logs: ids and places, never what somebody wrote. One JSON object a line."""

import contextlib
import logging
import sys
import traceback
from typing import Any

import structlog


def set_up(level: str = "INFO") -> None:
    """Sends structlog and the standard loggers to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_PlacesOnly('{"log": "%(name)s", "event": "%(levelname)s"}'))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=_Printer,
    )


class _Printer:
    """Prints to stderr. A log that cannot be written (a full disk, a closed pipe) must not cost a resident's turn."""

    def msg(self, line: str) -> None:
        """One line."""
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    debug = info = warning = error = critical = msg


class _PlacesOnly(logging.Formatter):
    """Of an error that a library logs, only what and where: the usual traceback ends with the error's own words."""

    def formatException(self, ei: Any) -> str:
        """In the place of the traceback."""
        return where(ei[1]) if ei[1] else ""


def where(error: BaseException) -> str:
    """What failed and where. Not the error's own words: they can quote the row that failed, and so a resident."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = " < ".join(
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in reversed(frames)
    )
    return f"{type(error).__name__} at {places}"
