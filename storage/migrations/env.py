"""Alembic's entry: runs the versions on the connection that storage.migrate hands over."""

from alembic import context
from sqlmodel import SQLModel

import storage.tables  # noqa: F401  registers every table with SQLModel's metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
context.run_migrations()
