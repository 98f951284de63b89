"""Devices and their leases, queue order, resuming, clusters. Slots become devices; what is stored stays."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
TICKS = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _device()
    _setting()
    _job()
    _worker()
    _wide()
    op.drop_index("ix_metric_job_name_step", "metric")  # with the value a curve is read from the index alone
    op.create_index("ix_metric_job_name_step", "metric", ["job_id", "name", "step", "value"])


def _device() -> None:
    op.create_table(
        "device",
        sa.Column("host", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("memory_mib", sa.Integer(), nullable=False),
        sa.Column("free_mib", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), sa.ForeignKey("job.id"), nullable=True),
        sa.Column("leased_at", TIME, nullable=True),
        sa.Column("blocked", sa.String(), nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
    )
    op.create_index("ix_device_job_id", "device", ["job_id"])


def _setting() -> None:
    op.create_table(
        "setting",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
    )


def _job() -> None:
    for column in (
        sa.Column("rank", sa.Float(), nullable=False, server_default="0"),
        sa.Column("devices", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("memory_mib", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("lane", sa.String(), nullable=False, server_default="work"),
        sa.Column("run_on", sa.String(), nullable=False, server_default=""),
        sa.Column("losses", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("checkpoint_step", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("device_seconds", sa.Float(), nullable=False, server_default="0"),
        sa.Column("host", sa.String(), nullable=True),
        sa.Column("cluster", sa.JSON(), nullable=False, server_default="{}"),
    ):
        op.add_column("job", column)
    op.execute("UPDATE job SET rank = id")
    op.execute("UPDATE job SET lane = 'chat' WHERE slots = 0")
    op.drop_index("ix_job_state_priority", "job")
    op.create_index("ix_job_state_priority", "job", ["state", "priority", "rank"])
    op.drop_column("job", "slots")


def _worker() -> None:
    op.execute("DELETE FROM worker")  # signs of life of processes that ran the older program
    op.add_column("worker", sa.Column("start_ticks", TICKS, nullable=False, server_default="0"))
    op.add_column("worker", sa.Column("boot_id", sa.String(), nullable=False, server_default=""))
    op.drop_column("worker", "slots")
    op.drop_column("worker", "paused")


WIDE = (("job", "start_ticks"), ("job", "events_offset"), ("variant", "seed"), ("variant", "n_tokens"),
        ("round", "seed"))


def _wide() -> None:
    """Numbers that outgrow 32 bits: ticks, bytes, seeds, tokens. In SQLite every INTEGER has 64."""
    if op.get_bind().dialect.name != "sqlite":
        for table, column in WIDE:
            op.alter_column(table, column, type_=sa.BigInteger())
