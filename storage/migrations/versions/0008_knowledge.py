"""The knowledge base: a town's own entries, and their versions"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """From the version before."""
    op.create_table(
        "kb_entries",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("head", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
    )
    op.create_index("kb_entries_name", "kb_entries", ["name", "id"])
    op.create_table(
        "kb_versions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("entry_id", sa.String(40), sa.ForeignKey("kb_entries.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("staff_id", sa.Integer(), sa.ForeignKey("staff.id"), nullable=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("publish_at", sa.DateTime(), nullable=True),
        sa.Column("successor", sa.String(40), nullable=True),
        sa.Column("restored", sa.Integer(), nullable=True),
        sa.UniqueConstraint("entry_id", "number"),
    )


def downgrade() -> None:
    """Back to the version before."""
    op.drop_table("kb_versions")
    op.drop_table("kb_entries")
