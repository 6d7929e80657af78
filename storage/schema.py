"""Brings a database to the schema of this version, or says in one sentence why it cannot."""

from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.exc import DatabaseError, OperationalError

from storage.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"


class SchemaError(Exception):
    """The database cannot be used; the message is one sentence."""


def upgrade(database: Database) -> None:
    """Runs the migrations that are missing. Raises SchemaError when the database is newer, foreign or unreadable."""
    try:
        revision = _revision(database)
        if revision == newest():
            return
        _known_or_refuse(revision)
        _migrate(database)
    except OperationalError as error:
        raise SchemaError(f"The database cannot be opened: {_sentence(error)}.") from None
    except DatabaseError as error:
        raise SchemaError(f"The file is not a usable database: {_sentence(error)}.") from None


def _sentence(error: DatabaseError) -> str:
    # PostgreSQL's errors have several lines, of which the first says it.
    return str(error.orig).strip().partition("\n")[0].rstrip(".?")


def newest() -> str:
    """The newest migration of this version, by the order of the files' names."""
    return max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _revision(database: Database) -> str | None:
    with database.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _known_or_refuse(revision: str | None) -> None:
    known = {path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")}
    if revision is not None and revision not in known:
        raise SchemaError(
            f"The database was made by a newer version of Uketome (schema {revision}); "
            "install that version, or restore a backup made with this one."
        )


def _migrate(database: Database) -> None:
    # Imported here: a start with nothing to migrate need not pay for it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
