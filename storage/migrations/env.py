"""Alembic's entrance: runs migrations over the connection that storage/schema.py gives it."""

from typing import Any, Literal

from alembic import context

from storage import kb_care, knowledge, support  # noqa: F401 - their tables belong to the schema
from storage.models import Base, Instant


def render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """A migration must not change when our types do: an Instant is written down as what it is in the database."""
    return "sa.DateTime()" if kind == "type" and isinstance(item, Instant) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite cannot alter a column in place: Alembic then copies the table.
    render_as_batch=True,
    render_item=render,
)
with context.begin_transaction():
    context.run_migrations()
