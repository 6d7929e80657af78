"""Databases with the schema already laid: made once by the product's own migrations, then copied for each test.

Who needs an empty or an older database, or none, makes it at a path of its own.
"""

import functools
import tempfile
from pathlib import Path

from sqlalchemy.engine import make_url

from storage import schema
from storage.database import Database


def laid(url: str) -> str:
    """The same address; where it names a file of SQLite that is not there yet, now one with every table."""
    path = make_url(url).database
    if url.startswith("sqlite") and path and not Path(path).exists():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(_new_file())
    return url


def lay(url: str) -> None:
    """Runs the migrations, as the product does when it starts."""
    database = Database(url)
    schema.upgrade(database)
    database.close()


@functools.cache
def _new_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "town.db"
        lay(f"sqlite:///{path}")
        return path.read_bytes()
