"""Access: recovery codes, which browser a session is in, and versions of what two admins may change at once"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

COLUMNS: list[tuple[str, sa.Column[Any]]] = [
    ("staff", sa.Column("version", sa.Integer(), server_default="1", nullable=False)),
    ("desks", sa.Column("version", sa.Integer(), server_default="1", nullable=False)),
    ("staff_sessions", sa.Column("browser", sa.Text(), server_default="", nullable=False)),
    ("invitations", sa.Column("created_by", sa.Integer(), sa.ForeignKey("staff.id"))),
]


def upgrade() -> None:
    """To this version."""
    op.create_table(
        "recovery_codes",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("used_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("code_hash"),
    )
    with op.batch_alter_table("recovery_codes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recovery_codes_staff_id"), ["staff_id"], unique=False)
    for table, column in COLUMNS:
        op.add_column(table, column, inline_references=True)


def downgrade() -> None:
    """Back to the version before."""
    for table, column in reversed(COLUMNS):
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column(column.name)
    op.drop_table("recovery_codes")
