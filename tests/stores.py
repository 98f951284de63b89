"""Fresh stores on SQLite: copies of one that this test process has migrated, at a tenth of what a migration takes.

What an old or a foreign store becomes is tested with `open_store` itself (tests/storage/test_migrations.py).
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from storage.database import Store, open_store


@functools.cache
def _migrated() -> bytes:
    """The file of an empty store of this version. Closing it has written everything into this one file."""
    with tempfile.TemporaryDirectory() as folder:
        open_store(home=folder).close()
        return Path(folder, "lab.db").read_bytes()


def put_store(home: Path) -> None:
    """Lay an empty store into a home that has none, for whoever opens it first."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lab.db").open("xb") as file:
        file.write(_migrated())


def new_store(home: Path) -> Store:
    """What `open_store(home=home)` makes of a home that has no store yet."""
    put_store(home)
    return open_store(home=home)
