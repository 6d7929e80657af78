"""LINE as a door: its one-time links, and who was told that an answer waits"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """To this version."""
    op.create_table(
        "door_links",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("opened_at", sa.DateTime(), nullable=True),
        sa.Column("opener", sa.String(length=64), nullable=True),
        sa.Column("browser", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"]),
        sa.PrimaryKeyConstraint("token_hash"),
        sa.UniqueConstraint("browser"),
    )
    with op.batch_alter_table("door_links", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_door_links_conversation_id"), ["conversation_id"], unique=False)
    op.add_column("conversations", sa.Column("knocked_at", sa.DateTime(), nullable=True))


def downgrade() -> None:
    """Back to the version before."""
    op.drop_column("conversations", "knocked_at")
    op.drop_table("door_links")
