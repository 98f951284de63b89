"""A checkpoint counts when its seal is there and every file is as long as the seal says."""

from __future__ import annotations

import pytest

from lab.core.checkpoints import SEAL, Checkpoints


@pytest.fixture
def checkpoints(tmp_path) -> Checkpoints:
    return Checkpoints(tmp_path / "checkpoints")


def write(checkpoints: Checkpoints, step: int, seal: bool = True) -> None:
    folder = checkpoints.path(step)
    (folder / "deep").mkdir(parents=True)
    (folder / "weights.bin").write_bytes(b"w" * 100)
    (folder / "deep" / "state.json").write_text("{}")
    if seal:
        checkpoints.seal(step)


def test_the_last_whole_one_is_the_one_with_the_highest_step_not_the_newest_file(checkpoints):
    assert checkpoints.last_whole() is None
    for step in (9, 100, 20):
        write(checkpoints, step)
    assert checkpoints.last_whole().step == 100
    assert [each.step for each in checkpoints.whole()] == [100, 20, 9]


@pytest.mark.parametrize("harm", ["no seal", "half a seal", "empty seal", "short file", "missing file"])
def test_one_that_is_not_whole_is_skipped(checkpoints, harm):
    write(checkpoints, 1)
    write(checkpoints, 2)
    folder = checkpoints.path(2)
    if harm == "no seal":
        (folder / SEAL).unlink()
    if harm == "half a seal":
        (folder / SEAL).write_text((folder / SEAL).read_text()[:20])
    if harm == "empty seal":
        (folder / SEAL).write_text('{"step": 2, "files": {}}')
    if harm == "short file":
        (folder / "weights.bin").write_bytes(b"w" * 99)
    if harm == "missing file":
        (folder / "deep" / "state.json").unlink()
    assert checkpoints.last_whole().step == 1 and checkpoints.broken() == [folder]


def test_pruning_keeps_the_newest_whole_one_and_nothing_that_is_broken(checkpoints):
    for step in (1, 2, 3):
        write(checkpoints, step)
    write(checkpoints, 4, seal=False)
    (checkpoints.folder / "micro_batch.json").write_text("{}")
    checkpoints.prune()
    assert sorted(path.name for path in checkpoints.folder.iterdir()) == ["checkpoint-3", "micro_batch.json"]


def test_a_removal_that_was_cut_short_does_not_look_whole(checkpoints, monkeypatch):
    write(checkpoints, 1)
    monkeypatch.setattr("lab.core.checkpoints.shutil.rmtree", lambda *_, **__: None)  # killed before the first file
    checkpoints.remove(checkpoints.path(1))
    assert checkpoints.last_whole() is None and checkpoints.broken() == [checkpoints.path(1)]


def test_other_things_in_the_folder_are_no_checkpoints(checkpoints):
    for name in ("checkpoint-", "checkpoint-x", "checkpoint-٣", "checkpoint-5.tmp", "other-3"):
        (checkpoints.folder / name).mkdir(parents=True)
    (checkpoints.folder / "checkpoint-7").write_text("a file")
    assert checkpoints.last_whole() is None and checkpoints.broken() == []


def test_clearing_leaves_nothing(checkpoints):
    write(checkpoints, 1)
    checkpoints.clear()
    checkpoints.clear()
    assert not checkpoints.folder.exists()
