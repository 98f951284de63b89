"""What people say of the rows of datasets."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rowreview",
        sa.Column("id", sa.Integer(), primary_key=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("data", "row_id", "verdict")),
        sa.Column("changes", sa.JSON(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("note", "by")),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_rowreview_data_row_id", "rowreview", ["data", "row_id"])


def downgrade() -> None:
    op.drop_table("rowreview")
