"""Comparisons and remote endpoints; banks that no job made; what a benchmark's answer was adapted to."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
BANK_COLUMNS = "id, job_id, study_id, name, benchmark, settings, created_at"


def upgrade() -> None:
    _comparison()
    _comparisonturn()
    _endpoint()
    op.add_column("benchmarksample", sa.Column("n_waits", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("benchmarksample", sa.Column("adaptation", sa.JSON(), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        _answerbank_of_sqlite()
    else:
        op.alter_column("answerbank", "job_id", existing_type=sa.Integer(), nullable=True)


def _comparison() -> None:
    op.create_table(
        "comparison",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("uid", sa.String(12), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("saved", sa.Boolean(), nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.UniqueConstraint("uid"),
    )
    op.create_index("ix_comparison_updated_at", "comparison", ["updated_at"])


def _comparisonturn() -> None:
    op.create_table(
        "comparisonturn",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("comparison_id", sa.Integer(), sa.ForeignKey("comparison.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("benchmark", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("vote", sa.JSON(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("comparison_id", "number"),
    )
    op.create_index("ix_comparisonturn_comparison_id", "comparisonturn", ["comparison_id"])


def _endpoint() -> None:
    op.create_table(
        "endpoint",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("key_env", sa.String(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("name"),
    )


def _answerbank_of_sqlite() -> None:
    """The table made anew under its own name, because SQLite cannot drop NOT NULL.

    Foreign keys stay on: they cannot be switched off in a transaction. Deferred, they count every answer and round as
    an orphan when the rows go, and take each back when its bank is there again; a copy that is renamed (alembic's
    batch) is never counted back, and the commit would fail.
    """
    op.execute("PRAGMA defer_foreign_keys=ON")
    op.execute("CREATE TEMPORARY TABLE answerbank_kept AS SELECT * FROM answerbank")
    op.execute("DELETE FROM answerbank")
    op.drop_table("answerbank")
    op.create_table(
        "answerbank",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("job_id", sa.Integer(), sa.ForeignKey("job.id"), nullable=True),
        sa.Column("study_id", sa.Integer(), sa.ForeignKey("study.id"), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("benchmark", sa.String(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("job_id"),
    )
    op.create_index("ix_answerbank_study_id", "answerbank", ["study_id"])
    op.execute(f"INSERT INTO answerbank ({BANK_COLUMNS}) SELECT {BANK_COLUMNS} FROM temp.answerbank_kept")
    op.execute("DROP TABLE temp.answerbank_kept")


def downgrade() -> None:
    """A bank may stay without a job: the older program never looks."""
    op.drop_column("benchmarksample", "n_waits")
    op.drop_column("benchmarksample", "adaptation")
    for table in ("comparisonturn", "comparison", "endpoint"):
        op.drop_table(table)
