"""A migrated PostgreSQL database made empty again, as if it had just been copied from its template."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

# Every change of a table, an index or a sequence writes its row of pg_class anew; rows of data do not.
SCHEMA = """
SELECT concat(md5(string_agg(concat(oid, ':', xmin), ',' ORDER BY oid)), (SELECT min(version_num) FROM alembic_version))
FROM pg_class WHERE relnamespace = 'public'::regnamespace
"""
WRITTEN_TO = """
SELECT oid::regclass::text FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0
AND relname <> 'alembic_version'
"""
RESTART_NUMBERS = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
FROM pg_sequences WHERE last_value IS NOT NULL
"""


def schema_of(connection: psycopg.Connection[tuple[object, ...]]) -> str:
    """A fingerprint of the tables and of the store's version. A copy of a database has that of its template."""
    return str(connection.execute(SCHEMA).fetchone()[0])


def emptied(connection: psycopg.Connection[tuple[object, ...]], schema: str) -> bool:
    """Delete all rows and begin their numbers again; False for tables that are no longer those of `schema`.

    VACUUM gives the files their first length back, so that rows come to lie in the order in which they are written.
    """
    if schema_of(connection) != schema:
        return False
    tables = [name for (name,) in connection.execute(WRITTEN_TO)]
    connection.execute("SET session_replication_role = replica")  # no order among tables, no triggers
    for name in tables:
        connection.execute(f"DELETE FROM {name}")
    if tables:
        connection.execute(f"VACUUM (INDEX_CLEANUP ON, TRUNCATE ON) {', '.join(tables)}")
    connection.execute(RESTART_NUMBERS)
    return True
