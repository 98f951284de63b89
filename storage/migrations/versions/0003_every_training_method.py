"""Variants of any training method: what they began from, their template contract, their health; energy of a job."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("kind", sa.String(), nullable=False, server_default="sft"),
        sa.Column("start", sa.String(), nullable=False, server_default=""),
        sa.Column("thinking_style", sa.String(), nullable=False, server_default=""),
        sa.Column("template_sha", sa.String(), nullable=False, server_default=""),
        sa.Column("health", sa.JSON(), nullable=True),
    ):
        op.add_column("variant", column)
    op.add_column("study", sa.Column("kind", sa.String(), nullable=False, server_default="study"))
    op.add_column("job", sa.Column("energy", sa.JSON(), nullable=True))


def downgrade() -> None:
    for column in ("kind", "start", "thinking_style", "template_sha", "health"):
        op.drop_column("variant", column)
    op.drop_column("study", "kind")
    op.drop_column("job", "energy")
