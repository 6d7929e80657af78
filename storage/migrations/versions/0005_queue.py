"""The queue: what a case is found by (fields, area, words), leases that lapse, whose case it is, canned replies"""

from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
import yaml
from alembic import op

revision = "0005"
down_revision = "0004"

REPLIES = Path(__file__).parents[3] / "handoff/replies.yml"
OPEN = "closed_at IS NULL"
INDEXES = (
    ("cases_lease", ["claim_until"], f"claim_until IS NOT NULL AND {OPEN}"),
    ("cases_mine", ["responsible_id"], f"responsible_id IS NOT NULL AND {OPEN}"),
)


def upgrade() -> None:
    """To this version."""
    op.create_table(
        "areas",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "case_marks",
        sa.Column("mark", sa.String(length=40), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("mark", "case_id"),
    )
    op.create_index("ix_case_marks_case_id", "case_marks", ["case_id"])
    op.create_table(
        "case_words",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.Column("grams", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_case_words_case_id", "case_words", ["case_id"])
    op.create_index("ix_case_words_message_id", "case_words", ["message_id"], unique=True)
    for name, columns, where in INDEXES:
        op.create_index(name, "cases", columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))
    _index_words()
    _bring_replies()


def _index_words() -> None:
    """By what PostgreSQL and SQLite bring themselves: no extension, no rights beyond the tables' own."""
    if op.get_bind().dialect.name != "sqlite":
        op.execute(
            "CREATE INDEX case_words_grams ON case_words USING gin (string_to_array(grams, ' ')) "
            "WITH (gin_pending_list_limit = 512)"
        )
        return
    op.execute(
        "CREATE VIRTUAL TABLE case_words_fts USING "
        "fts5(grams, content='case_words', content_rowid='id', tokenize='unicode61 remove_diacritics 0')"
    )
    if op.get_bind().dialect.dbapi.sqlite_version_info >= (3, 42):  # type: ignore[union-attr]
        op.execute("INSERT INTO case_words_fts(case_words_fts, rank) VALUES('secure-delete', 1)")
    add = "INSERT INTO case_words_fts(rowid, grams) VALUES (new.id, new.grams);"
    remove = "INSERT INTO case_words_fts(case_words_fts, rowid, grams) VALUES ('delete', old.id, old.grams);"
    for verb, does in (("INSERT", add), ("DELETE", remove), ("UPDATE", remove + add)):
        op.execute(f"CREATE TRIGGER case_words_{verb.lower()} AFTER {verb} ON case_words BEGIN {does} END")


def _bring_replies() -> None:
    """The canned replies to begin with; from now on they are the town's own."""
    rows = sa.table(
        "canned_replies", sa.column("title"), sa.column("text"), sa.column("changed_at"), sa.column("version")
    )
    now = datetime.now(UTC).replace(tzinfo=None)
    replies = yaml.safe_load(REPLIES.read_text(encoding="utf-8"))
    op.bulk_insert(rows, [{**reply, "changed_at": now, "version": 1} for reply in replies])


def downgrade() -> None:
    """Back to the version before."""
    for name, _, _ in INDEXES:
        op.drop_index(name, "cases")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE case_words_fts")
    for table in ("case_words", "case_marks", "areas"):
        op.drop_table(table)
