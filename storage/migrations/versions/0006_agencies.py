"""Agencies and staying connected: versions, the consent that stood when a note was written, a resident's cases"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """To this version."""
    op.add_column("agencies", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.add_column("case_notes", sa.Column("consent", sa.Boolean()))
    # A resident who comes back is looked for among all cases, also the closed.
    op.create_index("cases_of_talk", "cases", ["conversation_id", "opened_at"])


def downgrade() -> None:
    """Back to the version before."""
    op.drop_index("cases_of_talk", "cases")
    for table, column in (("case_notes", "consent"), ("agencies", "version")):
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column(column)
