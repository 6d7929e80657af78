"""The queue: indexes in its own order, danger first"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

TALKING = "waiting_since IS NULL AND closed_at IS NULL"
FOLLOWING = "following_since IS NOT NULL AND closed_at IS NULL"
WAITING = "closed_at IS NULL AND claimed_by IS NULL AND following_since IS NULL AND waiting_since IS NOT NULL"
Indexes = tuple[tuple[str, list[str | sa.TextClause], str], ...]
BEFORE: Indexes = (
    ("cases_queue", ["urgency", "waiting_since", "id"], WAITING),
    ("cases_talking", ["urgency", "opened_at"], TALKING),
    ("cases_following", ["urgency", "following_since"], FOLLOWING),
)
NOW: Indexes = (
    ("cases_queue", [sa.text("urgency DESC"), "waiting_since", "id"], WAITING),
    ("cases_talking", [sa.text("urgency DESC"), "opened_at", "id"], TALKING),
    ("cases_following", [sa.text("urgency DESC"), "following_since", "id"], FOLLOWING),
)


def upgrade() -> None:
    """From the version before."""
    _index_by(NOW)


def downgrade() -> None:
    """Back to the version before."""
    _index_by(BEFORE)


def _index_by(indexes: Indexes) -> None:
    for name, columns, where in indexes:
        op.drop_index(name, "cases")
        op.create_index(name, "cases", columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))
