"""Freshness: owners and review days, dialled helplines, periods of #9999, the weekly summary"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """From the version before."""
    op.create_table(
        "kb_care",
        sa.Column("entry_id", sa.String(40), sa.ForeignKey("kb_entries.id"), primary_key=True),
        sa.Column("owner_id", sa.Integer(), sa.ForeignKey("staff.id"), nullable=True),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.Column("changed_by", sa.Integer(), sa.ForeignKey("staff.id"), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.create_index("ix_kb_care_owner_id", "kb_care", ["owner_id"])
    op.create_table(
        "line_dials",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("line", sa.String(24), nullable=False),
        sa.Column("dialled_on", sa.Date(), nullable=False),
        sa.Column("staff_id", sa.Integer(), sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(), nullable=True),
        sa.Column("withdrawn_by", sa.Integer(), sa.ForeignKey("staff.id"), nullable=True),
    )
    op.create_index("ix_line_dials_line", "line_dials", ["line"])
    op.create_table(
        "line_periods",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("line", sa.String(24), nullable=False),
        sa.Column("begins", sa.DateTime(), nullable=False),
        sa.Column("ends", sa.DateTime(), nullable=False),
        sa.Column("staff_id", sa.Integer(), sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(), nullable=True),
        sa.Column("withdrawn_by", sa.Integer(), sa.ForeignKey("staff.id"), nullable=True),
    )
    op.create_table(
        "kb_weeks",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("monday", sa.Date(), nullable=False, unique=True),
        sa.Column("at", sa.DateTime(), nullable=False),
    )
    op.create_table(
        "kb_letters",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("week_id", sa.Integer(), sa.ForeignKey("kb_weeks.id"), nullable=False),
        sa.Column("target", sa.String(10), nullable=False),
        sa.Column("staff_id", sa.Integer(), sa.ForeignKey("staff.id"), nullable=True),
        sa.Column("next_at", sa.DateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(), nullable=True),
        sa.Column("done_at", sa.DateTime(), nullable=True),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
    )
    left = sa.text("done_at IS NULL")
    op.create_index("kb_letters_left", "kb_letters", ["next_at"], postgresql_where=left, sqlite_where=left)


def downgrade() -> None:
    """Back to the version before."""
    for table in ("kb_letters", "kb_weeks", "line_periods", "line_dials", "kb_care"):
        op.drop_table(table)
