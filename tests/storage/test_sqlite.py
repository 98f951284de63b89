"""What only a SQLite file has: pragmas, disks that are full or read-only, damage, and places where it may not lie."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from lab.core.errors import LabError
from storage import mounts
from storage.database import Store, open_store
from storage.sqlite import database_file, prepare
from storage.tables import Job


def _add(store: Store, uid: str, message: str = "") -> Job:
    with store.write() as session:
        job = Job(uid=uid, kind="echo", name="x", message=message)
        session.add(job)
    return job


def test_the_file_is_wal_with_foreign_keys(sqlite_store: Store) -> None:
    with sqlite_store.write() as session:
        modes = [session.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "foreign_keys")]
    assert modes == ["wal", 1]


def test_a_file_that_is_no_store_is_said_to_be_damaged(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "lab.db").write_text("this is no database" * 100)
    with pytest.raises(LabError, match="is damaged"):
        open_store(home=home)


def test_a_file_on_a_network_file_system_is_refused_with_what_to_do(tmp_path: Path) -> None:
    shared = f"disk / ext4 rw 0 0\nserver:/x {tmp_path.resolve()} nfs4 rw 0 0\n"
    with pytest.raises(LabError, match=r"lab\.db lies on a network file system \(nfs4\).*sqlite:////.*postgresql"):
        prepare(tmp_path / "new" / "lab.db", shared)
    assert not (tmp_path / "new").exists()
    prepare(tmp_path / "new" / "lab.db", "disk / ext4 rw 0 0\n")
    assert (tmp_path / "new").is_dir()


def test_the_home_may_be_shared_while_the_file_lies_on_a_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster's nodes need LAB_HOME; only this machine needs the store."""
    home, disk, listing = tmp_path / "home", tmp_path / "disk", tmp_path / "mounts"
    listing.write_text(f"disk / ext4 rw 0 0\nserver:/x {home.resolve()} lustre rw 0 0\n")
    monkeypatch.setattr(mounts, "MOUNTS", listing)
    with pytest.raises(LabError, match=r"lab\.db lies on a network file system \(lustre\)"):
        open_store(home=home)
    open_store(f"sqlite:///{disk / 'lab.db'}", home).close()
    assert (disk / "store.lock").exists() and not (home / "store.lock").exists()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(url: str) -> None:
    with pytest.raises(LabError, match="names no file"):
        database_file(make_url(url))


def test_the_file_of_a_url_is_found_in_each_form() -> None:
    assert database_file(make_url("sqlite:////a/b.db")) == Path("/a/b.db")
    assert database_file(make_url("sqlite:///file:/a/b.db?uri=true")) == Path("/a/b.db")
    assert database_file(make_url("sqlite:///b.db")) == Path.cwd() / "b.db"


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True)
    if mount.returncode:
        pytest.skip("this test mounts a tmpfs, and this user may not")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_one_sentence_and_what_was_stored_stays(tiny_disk: Path) -> None:
    store = open_store(home=tiny_disk / "home")
    _add(store, "first")
    filler = tiny_disk / "filler"
    with pytest.raises(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"0" * 4096)
    with pytest.raises(LabError, match="the disk is full. Nothing stored is lost") as caught:
        for number in range(1000):
            _add(store, f"u{number}", "x" * 1000)
    assert caught.value.reason == "disk"
    filler.unlink()
    with store.write() as session:
        assert session.execute(text("PRAGMA integrity_check")).scalar() == "ok"
        assert session.get(Job, 1) is not None
    _add(store, "after")
    store.close()


def test_a_read_only_home_is_one_sentence(tiny_disk: Path) -> None:
    open_store(home=tiny_disk / "home").close()
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    with pytest.raises(LabError, match="cannot be written to"):
        open_store(home=tiny_disk / "home")
