"""Reports: what began in a time, and the first claim of a case, found by an index"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """From the version before."""
    op.create_index("cases_opened", "cases", ["opened_at"])
    # Partial, for the queue must not be tempted to find through it those who do not wait.
    waited = sa.text("waiting_since IS NOT NULL")
    op.create_index("cases_waited", "cases", ["waiting_since"], postgresql_where=waited, sqlite_where=waited)
    op.create_index(
        "case_events_claimed", "case_events", ["case_id", "at"], postgresql_where=sa.text("kind = 'claimed'"),
        sqlite_where=sa.text("kind = 'claimed'"),
    )  # fmt: skip


def downgrade() -> None:
    """Back to the version before."""
    op.drop_index("case_events_claimed", "case_events")
    op.drop_index("cases_waited", "cases")
    op.drop_index("cases_opened", "cases")
