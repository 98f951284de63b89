"""Lines that a task keeps: on the disk at once, whole or not at all."""

from __future__ import annotations

import pytest

from lab.core.checkpoints import Checkpoints
from lab.core.kept_lines import KeptLines


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path / "checkpoints")


def test_rows_are_found_again_in_their_order(checkpoints):
    kept = KeptLines(checkpoints)
    kept.add([{"item": "é\n1"}, {"item": 2}])
    kept.add([{"item": 3}])
    assert KeptLines(checkpoints).rows == [{"item": "é\n1"}, {"item": 2}, {"item": 3}] and len(kept) == 3


@pytest.mark.parametrize("broken", ['{"item": 2', '{"item": 2}', "[1, 2]\n", "nonsense\n", "\xff\xfe\n"])
def test_from_a_broken_line_on_nothing_is_kept_and_the_next_one_is_whole(checkpoints, broken):
    KeptLines(checkpoints).add([{"item": 1}])
    with (checkpoints.folder / "rows.jsonl").open("ab") as file:
        file.write(broken.encode("latin-1"))
    kept = KeptLines(checkpoints)
    assert kept.rows == [{"item": 1}]
    kept.add([{"item": 4}])
    assert KeptLines(checkpoints).rows == [{"item": 1}, {"item": 4}]


def test_a_row_of_another_form_ends_what_can_be_used(checkpoints):
    KeptLines(checkpoints).add([{"item": 1}, {"other": 2}, {"item": 3}])
    assert KeptLines(checkpoints, lambda row: "item" in row).rows == [{"item": 1}]
    assert KeptLines(checkpoints).rows == [{"item": 1}]


def test_the_seal_counts_the_rows(checkpoints):
    kept = KeptLines(checkpoints)
    kept.seal()
    assert checkpoints.last_whole() is None
    kept.add([{"item": 1}, {"item": 2}])
    kept.seal()
    assert checkpoints.last_whole().step == 2
