"""Paths, logs and room on the disk."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from lab.core.errors import LabError
from storage import mounts
from storage.files import Home, log_tail, read_json, read_log

Usage = namedtuple("Usage", "total used free")


def test_stored_paths_are_relative_so_that_the_home_can_be_moved(tmp_path: Path) -> None:
    home = Home(tmp_path / "a")
    stored = home.relative(home.job("u1").artifacts)
    assert stored == "jobs/u1/artifacts"
    assert Home(tmp_path / "b").absolute(stored) == tmp_path / "b" / "jobs" / "u1" / "artifacts"
    assert home.absolute(home.relative("/elsewhere/x")) == Path("/elsewhere/x")


def test_a_new_attempt_keeps_log_events_and_checkpoints_and_nothing_else(tmp_path: Path) -> None:
    folder = Home(tmp_path).job("u1")
    folder.prepare()
    (folder.path / "checkpoints" / "step-4").mkdir(parents=True)
    left = (folder.log, folder.status, folder.events, folder.result, folder.control, folder.exit)
    for path in (*left, folder.artifacts / "w"):
        path.write_text("old")
    folder.prepare()
    assert {path.name for path in folder.path.iterdir() if path.is_file()} == {"log.txt", "events.jsonl"}
    assert list(folder.artifacts.iterdir()) == [] and (folder.path / "checkpoints" / "step-4").is_dir()


def test_a_log_is_read_on_from_an_offset_and_no_character_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(b"one\nzw" + "é".encode()[:1])
    text, offset = read_log(path)
    assert text == "one\nzw"
    path.write_bytes("one\nzwé done\n".encode())
    assert read_log(path, offset) == ("é done\n", path.stat().st_size)
    assert read_log(tmp_path / "none", 5) == ("", 5)


def test_bytes_that_are_no_text_do_not_stop_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(b"ok \xff\xfe then more text")
    text, offset = read_log(path)
    assert text.startswith("ok ") and text.endswith("more text") and offset == path.stat().st_size


def test_the_tail_of_a_long_log_is_its_last_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("".join(f"line {number}\n" for number in range(50_000)))
    assert log_tail(path, 2) == "line 49998\nline 49999"
    assert log_tail(tmp_path / "none") == ""


def test_half_a_json_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a": ')
    assert read_json(tmp_path / "x.json") is None and read_json(tmp_path / "none.json") is None


def test_a_home_says_whether_it_lies_on_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Home(tmp_path).network_filesystem() is None
    listing = tmp_path / "mounts"
    listing.write_text(f"disk / ext4 rw 0 0\nserver:/x {tmp_path.resolve()} nfs4 rw 0 0\n")
    monkeypatch.setattr(mounts, "MOUNTS", listing)
    assert Home(tmp_path / "home").network_filesystem() == "nfs4"
    assert Home(tmp_path.parent / "other").network_filesystem() is None


def test_too_little_room_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9 - 2**20, 2**20))
    with pytest.raises(LabError, match="only 1 MiB are free") as caught:
        Home(tmp_path).check_free(200)
    assert caught.value.reason == "disk"
